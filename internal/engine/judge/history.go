// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package judge

import (
	"iter"
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/auspex-otel/auspex/internal/engine/budget"
	"github.com/auspex-otel/auspex/internal/engine/past"
)

// Pasts yields what was learned of each stream of metrics, by the name of its metric.
func (j *Judge) Pasts() iter.Seq2[string, *past.Past] {
	return func(yield func(string, *past.Past) bool) {
		for _, st := range j.streams.All() {
			if st.signal != budget.Metrics {
				continue
			}
			p := &past.Past{Meter: st.meter, Cadence: st.cadence, List: make([]past.Series, len(st.series))}
			for i := range st.series {
				from := &st.series[i]
				p.List[i] = past.Series{
					Statistic: from.stat, Model: from.model, Points: from.n,
					Observed: from.last.observed, Expected: from.last.expected, Lower: from.last.lower, Upper: from.last.upper,
				}
			}
			if !yield(st.metric, p) {
				return
			}
		}
	}
}

// SetHistory sets a history, or with nil removes it.
func (j *Judge) SetHistory(h past.History) { j.history = h }

// Warmed counts the series that began with a past.
func (j *Judge) Warmed() uint64 { return j.warmed }

// adopt gives a new stream its past, if it has one of the same statistics. A
// stream that begins long before the end of its past is sent again from an
// archive, and must not know what is to come.
//
// Anomalies of the past were judged by the α of the study and are over, so the opening
// rule starts over.
func (j *Judge) adopt(p *Point, st *stream) {
	if j.history == nil {
		return
	}
	known := j.history.Take(past.Origin{Resource: p.Resource, Scope: p.Scope, Metric: p.Metric, Attributes: p.Attributes})
	if known == nil || p.Time < known.Meter.Time-lateBeforeRestart*known.Cadence ||
		!slices.EqualFunc(known.List, st.series, func(x past.Series, y tracked) bool { return x.Statistic == y.stat }) {
		return
	}
	st.meter, st.cadence = known.Meter, known.Cadence
	j.count(st)
	for i := range known.List {
		s, from := &st.series[i], &known.List[i]
		s.model, s.n = from.Model, from.Points
		s.last.observed, s.last.expected, s.last.lower, s.last.upper = from.Observed, from.Expected, from.Lower, from.Upper
		if !s.warming() {
			j.warming--
		}
	}
	j.warmed += uint64(len(st.series))
}

// Origins yields the identity of every stream that the engine knows, in each
// form that it may have come in. It may be called before telemetry arrives only.
func (j *Judge) Origins() iter.Seq[past.Origin] {
	return func(yield func(past.Origin) bool) {
		for _, st := range j.streams.All() {
			if st.signal != budget.Metrics {
				continue
			}
			resource := pcommon.NewResource()
			st.resource.attributes.CopyTo(resource.Attributes())
			for _, m := range past.Metrics(st.metric, st.unit, st.series[0].stat, len(st.series)) {
				if !yield(past.Origin{Resource: resource, Scope: st.scope, Metric: m, Attributes: st.attributes}) {
					return
				}
			}
		}
	}
}
