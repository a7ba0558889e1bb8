// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package judge

import (
	"math"

	"github.com/auspex-otel/auspex/internal/detect/ensemble"
	"github.com/auspex-otel/auspex/internal/detect/opening"
	"github.com/auspex-otel/auspex/internal/engine/feedback"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// HeldSilenced is the reason for an anomaly that a silence kept from opening, as counted in view.Status.Held.
const HeldSilenced = "silenced"

// AddFeedback takes the feedback of a user, closes the open anomalies of its target,
// and returns it with its id and time.
func (j *Judge) AddFeedback(f feedback.Feedback) (feedback.Feedback, error) {
	f, added, err := j.feedback.Add(f, j.now)
	if added {
		j.heed(&f)
		j.CollectFindings()
	}
	return f, err
}

// RemoveFeedback ends a feedback.
func (j *Judge) RemoveFeedback(id, who string) (feedback.Feedback, error) {
	return j.feedback.Remove(id, who, j.now)
}

// Feedback returns the feedback in force and the log of its changes.
func (j *Judge) Feedback() feedback.View { return j.feedback.View() }

// heed closes the open anomalies of a feedback's target. If it is normal, its series start learning over.
func (j *Judge) heed(f *feedback.Feedback) {
	for _, id := range j.tracker.Followed() {
		st, _ := j.streams.Peek(j.owners[id])
		if st == nil {
			continue
		}
		for i := range st.series {
			if s := &st.series[i]; uint64(s.id) == id && names(&f.Target, st, s) {
				if f.Kind == feedback.Silence {
					j.silence(s.id, st, incident.Silenced)
					continue
				}
				j.silence(s.id, st, incident.Accepted)
				j.startOver(s)
			}
		}
	}
}

// startOver makes a series forget its model. A series of new templates has no model.
func (j *Judge) startOver(s *tracked) {
	if s.model == nil {
		return
	}
	if !s.warming() {
		j.warming++
	}
	s.model, s.rule, s.wait, s.n, s.member.RareAt = ensemble.New(j.models), opening.Rule{}, nil, 0, 0
	s.last.expected, s.last.phase = math.NaN(), incident.PhaseNone
}

// names reports whether a target names a series.
func names(t *feedback.Target, st *stream, s *tracked) bool {
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
func (j *Judge) silenced(st *stream, s *tracked, t int64) bool {
	return j.feedback.Any(t, func(of *feedback.Target) bool { return names(of, st, s) })
}
