// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package judge

import (
	"iter"
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/auspex-otel/auspex/internal/detect/ensemble"
	"github.com/auspex-otel/auspex/internal/engine/budget"
	"github.com/auspex-otel/auspex/internal/engine/meter"
)

// Origin is the identity of a stream. The data points of Metric are not part of it.
type Origin struct {
	Resource   pcommon.Resource
	Scope      pcommon.InstrumentationScope
	Metric     pmetric.Metric
	Attributes pcommon.Map
}

// History has what was learned of streams before the engine met them.
type History interface {
	// Take returns the past of a stream that the engine meets for the first time,
	// or nil. It gives each past once. The engine is locked meanwhile, so it must
	// neither wait for anything nor call the engine.
	Take(Origin) *Past
}

// Past holds the models and the cadence of one stream that a study has learned.
type Past struct {
	meter   meter.Meter
	cadence int64
	series  []pastSeries
}

// pastSeries holds the model of one statistic and its latest prediction interval.
type pastSeries struct {
	stat                             meter.Statistic
	model                            *ensemble.Model
	n                                uint64
	observed, expected, lower, upper float64
}

// Pasts yields what was learned of each stream of metrics, by the name of its metric.
func (j *Judge) Pasts() iter.Seq2[string, *Past] {
	return func(yield func(string, *Past) bool) {
		for _, st := range j.streams.All() {
			if st.signal != budget.Metrics {
				continue
			}
			p := &Past{meter: st.meter, cadence: st.cadence, series: make([]pastSeries, len(st.series))}
			for i := range st.series {
				from := &st.series[i]
				p.series[i] = pastSeries{from.stat, from.model, from.n, from.last.observed, from.last.expected, from.last.lower, from.last.upper}
			}
			if !yield(st.metric, p) {
				return
			}
		}
	}
}

// Series returns the number of series of a past.
func (p *Past) Series() int { return len(p.series) }

// SetHistory sets a history, or with nil removes it.
func (j *Judge) SetHistory(h History) {
	j.history = h
}

// Warmed counts the series that began with a past.
func (j *Judge) Warmed() uint64 {
	return j.warmed
}

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
	past := j.history.Take(Origin{p.Resource, p.Scope, p.Metric, p.Attributes})
	if past == nil || p.Time < past.meter.Time-lateBeforeRestart*past.cadence ||
		!slices.EqualFunc(past.series, st.series, func(x pastSeries, y tracked) bool { return x.stat == y.stat }) {
		return
	}
	st.meter, st.cadence = past.meter, past.cadence
	j.count(st)
	for i := range past.series {
		s, from := &st.series[i], &past.series[i]
		s.model, s.n = from.model, from.n
		s.last.observed, s.last.expected, s.last.lower, s.last.upper = from.observed, from.expected, from.lower, from.upper
		if !s.warming() {
			j.warming--
		}
	}
	j.warmed += uint64(len(st.series))
}

// Origins yields the identity of every stream that the engine knows, in each
// form that it may have come in. It may be called before telemetry arrives only.
func (j *Judge) Origins() iter.Seq[Origin] {
	return func(yield func(Origin) bool) {
		for _, st := range j.streams.All() {
			if st.signal != budget.Metrics {
				continue
			}
			resource := pcommon.NewResource()
			st.resource.attributes.CopyTo(resource.Attributes())
			for _, m := range st.metrics() {
				if !yield(Origin{resource, st.scope, m, st.attributes}) {
					return
				}
			}
		}
	}
}

// metrics are the metrics that a stream may belong to.
func (st *stream) metrics() []pmetric.Metric {
	named := func() pmetric.Metric {
		m := pmetric.NewMetric()
		m.SetName(st.metric)
		m.SetUnit(st.unit)
		return m
	}
	first, second := named(), named()
	switch {
	case len(st.series) == meter.MostSamples:
		first.SetEmptyHistogram()
		second.SetEmptySummary()
	case st.series[0].stat == meter.Rate:
		first.SetEmptySum().SetIsMonotonic(true)
		second.SetEmptySum()
	default:
		first.SetEmptyGauge()
		second.SetEmptySum()
	}
	return []pmetric.Metric{first, second}
}
