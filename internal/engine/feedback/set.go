// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package feedback

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/auspex-otel/auspex/internal/series"
	"github.com/auspex-otel/auspex/internal/state"
)

// Set holds the feedback in effect and the audit entries. The zero value is empty.
type Set struct {
	inForce []Feedback
	audit   []Audit // the latest last
}

// Add adds a user's feedback at a time, and returns it with its id and time. If the same feedback was already added
// at that time, it returns the existing one with the expiry in effect.
func (s *Set) Add(f Feedback, now time.Time) (_ Feedback, added bool, err error) {
	f.At = now.UTC()
	if err := f.check(now); err != nil {
		return Feedback{}, false, err
	}
	f.ID = series.Text(fmt.Sprint(f.Kind, f.Target, f.Who, f.Why)).Join(series.Number(uint64(f.At.UnixNano()))).String()
	if i := slices.IndexFunc(s.inForce, func(other Feedback) bool { return other.ID == f.ID }); i >= 0 {
		return s.inForce[i], false, nil
	}
	if len(s.inForce) >= maxFeedback {
		return Feedback{}, false, fmt.Errorf("%d silences are in effect, which is the maximum: remove silences that are no longer needed", maxFeedback)
	}
	s.inForce = append(s.inForce, f)
	s.record(Audit{Time: f.At, Who: f.Who, Action: "add", Feedback: f})
	return f, true, nil
}

// Remove ends a feedback.
func (s *Set) Remove(id, who string, now time.Time) (Feedback, error) {
	if who = strings.TrimSpace(who); who == "" || len(who) > maxFeedbackText {
		return Feedback{}, fmt.Errorf("who must not be empty, and at most %d bytes long", maxFeedbackText)
	}
	i := slices.IndexFunc(s.inForce, func(f Feedback) bool { return f.ID == id })
	if i < 0 {
		return Feedback{}, ErrUnknown
	}
	f := s.inForce[i]
	s.inForce = slices.Delete(s.inForce, i, i+1)
	s.record(Audit{Time: now.UTC(), Who: who, Action: "remove", Feedback: f})
	return f, nil
}

// Expire removes the feedback that has expired at a time.
func (s *Set) Expire(now time.Time) {
	s.inForce = slices.DeleteFunc(s.inForce, func(f Feedback) bool {
		if f.Expires.After(now) {
			return false
		}
		s.record(Audit{Time: now.UTC(), Who: engineItself, Action: "expire", Feedback: f})
		return true
	})
}

// View returns the feedback in effect and the audit list.
func (s *Set) View() View {
	v := View{Silences: append([]Feedback{}, s.inForce...), Audit: append([]Audit{}, s.audit...)}
	slices.Reverse(v.Audit)
	return v
}

// Any reports whether names returns true for a target in effect at event time t, in nanoseconds.
func (s *Set) Any(t int64, names func(*Target) bool) bool {
	for i := range s.inForce {
		if f := &s.inForce[i]; t < f.Expires.UnixNano() && names(&f.Target) {
			return true
		}
	}
	return false
}

// Empty reports whether no feedback was ever added.
func (s *Set) Empty() bool { return len(s.audit) == 0 }

func (s *Set) record(a Audit) {
	if s.audit = append(s.audit, a); len(s.audit) > maxAudit {
		s.audit = slices.Delete(s.audit, 0, 1)
	}
}

// Persist writes or reads the set.
func (s *Set) Persist(c *state.Codec) {
	state.List(c, &s.inForce, 4, func(one *Feedback) { one.persist(c) })
	state.List(c, &s.audit, 4, func(a *Audit) {
		c.Time(&a.Time)
		c.String(&a.Who)
		c.String(&a.Action)
		a.Feedback.persist(c)
	})
}

func (f *Feedback) persist(c *state.Codec) {
	c.String(&f.ID)
	c.String((*string)(&f.Kind))
	c.String(&f.Series)
	c.String(&f.Template)
	c.String(&f.Operation)
	c.String(&f.Service)
	c.String(&f.Who)
	c.String(&f.Why)
	c.Time(&f.At)
	c.Time(&f.Expires)
}

// Restore reads the state. It returns an error if the state is inconsistent.
func (s *Set) Restore(c *state.Codec) error {
	if s.Persist(c); len(s.inForce) > maxFeedback || len(s.audit) > maxAudit {
		return fmt.Errorf("feedback: too many entries: %w", state.Error)
	}
	for i := range s.inForce {
		if err := s.inForce[i].check(time.Time{}); err != nil || !hexID.MatchString(s.inForce[i].ID) {
			return fmt.Errorf("feedback %q is inconsistent: %w", s.inForce[i].ID, state.Error)
		}
	}
	return nil
}
