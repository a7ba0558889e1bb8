// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"math"

	"github.com/auspex-otel/auspex/internal/detect/ensemble"
	"github.com/auspex-otel/auspex/internal/detect/opening"
	"github.com/auspex-otel/auspex/internal/engine/feedback"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

type (
	// Feedback is described in internal/engine/feedback.
	Feedback = feedback.Feedback
	// FeedbackView is described there, too.
	FeedbackView = feedback.View
	// Audit is described there, too.
	Audit = feedback.Audit
	// Target is described there, too.
	Target = feedback.Target
)

// The kinds of feedback.
const (
	FeedbackSilence = feedback.Silence
	FeedbackNormal  = feedback.Normal
)

// ErrNoFeedback is returned where no feedback has the id.
var ErrNoFeedback = feedback.ErrUnknown

// HeldSilenced is the reason for an anomaly that a silence kept from opening, as counted in Status.Held.
const HeldSilenced = "silenced"

// AddFeedback takes the feedback of a user, closes the open anomalies of its target,
// and returns it with its id and time.
func (e *Engine) AddFeedback(f Feedback) (Feedback, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.selfTick()
	f, added, err := e.feedback.Add(f, e.now)
	if added {
		e.heed(&f)
		e.noteNews()
	}
	return f, err
}

// RemoveFeedback ends a feedback.
func (e *Engine) RemoveFeedback(id, who string) (Feedback, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.selfTick()
	return e.feedback.Remove(id, who, e.now)
}

// Feedback returns what is in force, and who did what.
func (e *Engine) Feedback() FeedbackView {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.feedback.View()
}

// heed closes the open anomalies of a feedback's target. If it is normal, its series start learning over.
func (e *Engine) heed(f *Feedback) {
	for _, id := range e.tracker.Followed() {
		st, _ := e.streams.Peek(e.owners[id])
		if st == nil {
			continue
		}
		for i := range st.series {
			if s := &st.series[i]; uint64(s.id) == id && names(&f.Target, st, s) {
				if f.Kind == FeedbackSilence {
					e.silence(s.id, st, incident.Silenced)
					continue
				}
				e.silence(s.id, st, incident.Accepted)
				e.startOver(s)
			}
		}
	}
}

// startOver makes a series forget its model. A series of new templates has no model.
func (e *Engine) startOver(s *tracked) {
	if s.model == nil {
		return
	}
	if !s.warming() {
		e.warming++
	}
	s.model, s.rule, s.wait, s.n, s.member.RareAt = ensemble.New(e.models), opening.Rule{}, nil, 0, 0
	s.last.expected, s.last.phase = math.NaN(), incident.PhaseNone
}

// names reports whether a target names a series.
func names(t *Target, st *stream, s *tracked) bool {
	has := func(want, key string) bool {
		if want == "" {
			return true
		}
		v, ok := st.attributes.Get(key)
		return ok && v.AsString() == want
	}
	return (t.Series == "" || t.Series == s.id.String()) && (t.Service == "" || t.Service == st.resource.service.name) &&
		has(t.Template, vocabulary.AttrTemplateID) && has(t.Operation, vocabulary.AttrSpanName)
}

// silenced reports whether a feedback keeps a series from opening anomalies at event time t.
func (e *Engine) silenced(st *stream, s *tracked, t int64) bool {
	return e.feedback.Any(t, func(of *feedback.Target) bool { return names(of, st, s) })
}
