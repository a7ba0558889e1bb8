// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/auspex-otel/auspex/internal/detect/ensemble"
	"github.com/auspex-otel/auspex/internal/detect/opening"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/series"
	"github.com/auspex-otel/auspex/internal/state"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// FeedbackKind is what somebody says of a target.
type FeedbackKind string

const (
	// FeedbackSilence says that nothing of the target is to open until it expires.
	FeedbackSilence FeedbackKind = "silence"
	// FeedbackNormal says that in addition: what of the target is anomalous now is normal, and to be learned.
	FeedbackNormal FeedbackKind = "normal"
)

// HeldSilenced is the reason why an anomaly did not open that somebody has silenced, as counted in Status.Held.
const HeldSilenced = "silenced"

const (
	// maxFeedback bounds what is in force at once, maxAudit the entries of the audit list.
	maxFeedback, maxAudit = 1000, 1000
	// maxFeedbackText bounds each text, in bytes.
	maxFeedbackText = 512
	// engineItself is who did what the engine does by itself.
	engineItself = "otelcol-auspex"
)

// ErrNoFeedback is returned where no feedback has the id.
var ErrNoFeedback = errors.New("no silence has this id")

// Target says what a feedback is about: everything that has all of what is not empty.
type Target struct {
	// Series and Template are identities: 16 hexadecimal digits.
	Series   string `json:"series,omitempty"`
	Template string `json:"template,omitempty"`
	// Operation is the name of spans.
	Operation string `json:"operation,omitempty"`
	Service   string `json:"service,omitempty"`
}

// Feedback is what somebody said of a target, in force until it expires. Its
// JSON form is what the console's API takes and answers.
type Feedback struct {
	ID   string       `json:"id"`
	Kind FeedbackKind `json:"kind"`
	Target
	Who string `json:"who"`
	Why string `json:"why"`
	// At is when it was said, by the engine's ticks. It is in force for points of event times before Expires.
	At      time.Time `json:"at"`
	Expires time.Time `json:"expires"`
}

// Audit is one entry of the list of who did what.
type Audit struct {
	Time time.Time `json:"time"`
	Who  string    `json:"who"`
	// Action is add, remove or expire.
	Action   string   `json:"action"`
	Feedback Feedback `json:"feedback"`
}

// FeedbackView is what is in force, in the order of adding, and the audit list, the latest first.
type FeedbackView struct {
	Silences []Feedback `json:"silences"`
	Audit    []Audit    `json:"audit"`
}

// feedback is the engine's part of what people said.
type feedback struct {
	InForce []Feedback
	Audit   []Audit // the latest last
}

var hexID = regexp.MustCompile(`^[0-9a-f]{16}$`)

// check returns an error that says what a feedback lacks.
func (f *Feedback) check(now time.Time) error {
	switch {
	case f.Kind != FeedbackSilence && f.Kind != FeedbackNormal:
		return fmt.Errorf("kind is %q: it must be silence or normal", f.Kind)
	case f.Target == Target{}:
		return errors.New("nothing is named: give at least one of series, template, operation and service")
	case f.Series != "" && !hexID.MatchString(f.Series), f.Template != "" && !hexID.MatchString(f.Template):
		return errors.New("series and template are identities: 16 hexadecimal digits each")
	case strings.TrimSpace(f.Who) == "" || strings.TrimSpace(f.Why) == "":
		return errors.New("who and why must be said")
	case max(len(f.Operation), len(f.Service), len(f.Who), len(f.Why)) > maxFeedbackText:
		return fmt.Errorf("a text is longer than %d bytes", maxFeedbackText)
	case !f.Expires.After(now):
		return fmt.Errorf("expires is %s: it must lie in the future", f.Expires.Format(time.RFC3339))
	}
	return nil
}

// AddFeedback takes what somebody says, and returns it with its id and time. What
// is open of the target closes.
func (e *Engine) AddFeedback(f Feedback) (Feedback, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.selfTick()
	f.At = e.now.UTC()
	if err := f.check(e.now); err != nil {
		return Feedback{}, err
	}
	f.ID = series.Text(fmt.Sprint(f.Kind, f.Target, f.Who, f.Why)).Join(series.Number(uint64(f.At.UnixNano()))).String()
	if slices.ContainsFunc(e.feedback.InForce, func(other Feedback) bool { return other.ID == f.ID }) {
		return f, nil // the same, sent twice
	}
	if len(e.feedback.InForce) >= maxFeedback {
		return Feedback{}, fmt.Errorf("%d silences are in force, which is as many as there may be: remove some", maxFeedback)
	}
	e.feedback.InForce = append(e.feedback.InForce, f)
	e.feedback.audit(Audit{Time: f.At, Who: f.Who, Action: "add", Feedback: f})
	e.heed(&f)
	e.noteNews()
	return f, nil
}

// RemoveFeedback ends what somebody said.
func (e *Engine) RemoveFeedback(id, who string) (Feedback, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.selfTick()
	if who = strings.TrimSpace(who); who == "" || len(who) > maxFeedbackText {
		return Feedback{}, fmt.Errorf("who removes it must be said, in at most %d bytes", maxFeedbackText)
	}
	i := slices.IndexFunc(e.feedback.InForce, func(f Feedback) bool { return f.ID == id })
	if i < 0 {
		return Feedback{}, ErrNoFeedback
	}
	f := e.feedback.InForce[i]
	e.feedback.InForce = slices.Delete(e.feedback.InForce, i, i+1)
	e.feedback.audit(Audit{Time: e.now.UTC(), Who: who, Action: "remove", Feedback: f})
	return f, nil
}

// Feedback returns what is in force, and who did what.
func (e *Engine) Feedback() FeedbackView {
	e.mu.Lock()
	defer e.mu.Unlock()
	v := FeedbackView{Silences: append([]Feedback{}, e.feedback.InForce...), Audit: append([]Audit{}, e.feedback.Audit...)}
	slices.Reverse(v.Audit)
	return v
}

// expireFeedback ends what has expired by the clock of ticks.
func (e *Engine) expireFeedback(now time.Time) {
	e.feedback.InForce = slices.DeleteFunc(e.feedback.InForce, func(f Feedback) bool {
		if f.Expires.After(now) {
			return false
		}
		e.feedback.audit(Audit{Time: now.UTC(), Who: engineItself, Action: "expire", Feedback: f})
		return true
	})
}

func (f *feedback) audit(a Audit) {
	if f.Audit = append(f.Audit, a); len(f.Audit) > maxAudit {
		f.Audit = slices.Delete(f.Audit, 0, 1)
	}
}

// heed closes what is open of a feedback's target, and has what is normal learned anew.
func (e *Engine) heed(f *Feedback) {
	for _, id := range e.tracker.Followed() {
		st, _ := e.streams.Peek(e.owners[id])
		if st == nil {
			continue
		}
		for i := range st.series {
			if s := &st.series[i]; uint64(s.id) == id && f.names(st, s) {
				e.silence(s.id, st)
				if f.Kind == FeedbackNormal {
					e.learnAnew(s)
				}
			}
		}
	}
}

// learnAnew has a series forget what it expected. What is made from news has no model of its own.
func (e *Engine) learnAnew(s *tracked) {
	if s.model == nil {
		return
	}
	if !s.warming() {
		e.warming++
	}
	s.model, s.rule, s.wait, s.n, s.member.RareAt = ensemble.New(e.zone), opening.Rule{}, nil, 0, 0
	s.last.expected, s.last.phase = math.NaN(), incident.PhaseNone
}

// names tells whether a series is of the target.
func (t *Target) names(st *stream, s *tracked) bool {
	has := func(want, key string) bool {
		if want == "" {
			return true
		}
		v, ok := st.attributes.Get(key)
		return ok && v.AsString() == want
	}
	return (t.Series == "" || t.Series == s.id.String()) && (t.Service == "" || t.Service == st.source.service.name) &&
		has(t.Template, vocabulary.AttrTemplateID) && has(t.Operation, vocabulary.AttrSpanName)
}

// silenced tells whether somebody wants nothing of a series to open at event time t.
func (e *Engine) silenced(st *stream, s *tracked, t int64) bool {
	return slices.ContainsFunc(e.feedback.InForce, func(f Feedback) bool { return t < f.Expires.UnixNano() && f.names(st, s) })
}

// persist writes or reads what people said.
func (f *feedback) persist(c *state.Codec) {
	state.List(c, &f.InForce, 4, func(one *Feedback) { one.persist(c) })
	state.List(c, &f.Audit, 4, func(a *Audit) {
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

func (f *feedback) restore(c *state.Codec) error {
	if f.persist(c); len(f.InForce) > maxFeedback || len(f.Audit) > maxAudit {
		return fmt.Errorf("feedback: more than there may be: %w", state.Error)
	}
	for i := range f.InForce {
		if err := f.InForce[i].check(time.Time{}); err != nil || !hexID.MatchString(f.InForce[i].ID) {
			return fmt.Errorf("feedback %q contradicts itself: %w", f.InForce[i].ID, state.Error)
		}
	}
	return nil
}
