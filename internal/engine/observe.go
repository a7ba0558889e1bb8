// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/auspex-otel/auspex/internal/engine/intake"
	"github.com/auspex-otel/auspex/internal/engine/meter"
	"github.com/auspex-otel/auspex/internal/engine/recent"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/prefetch"
	"github.com/auspex-otel/auspex/internal/series"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// RecentBatches is the number of batches whose verdicts are remembered, for each signal.
const RecentBatches = recent.Most

// Select selects the series whose verdicts are shown as companion gauges.
type Select string

// The selections.
const (
	SelectAnomalous Select = "anomalous"
	SelectAll       Select = "all"
	SelectNone      Select = "none"
)

// Output selects the verdicts that ObserveMetrics returns.
type Output struct {
	Select Select
	// MaxSeries bounds the anomalous series that are shown at once, over all callers.
	MaxSeries int
}

// Verdict holds the score and the prediction interval of one statistic of one data point.
// Resource, Scope, Metric, and Point are indexes into the batch.
type Verdict struct {
	Resource, Scope, Metric, Point int
	Statistic                      string
	Unit                           string
	// End marks the point after which the series' companions are to cease.
	End bool
	// Score is that of the point, Opening its opening score: an anomaly opens where that reaches 1.
	Score, Opening, Observed, Expected, Lower, Upper float64
}

// ref leads to one data point of a batch.
type ref struct {
	Verdict    // its place alone
	id         series.ID
	found      *series.Entry[stream] // nil until it has been looked up, and if it was not there
	time       int64
	attributes pcommon.Map
	resource   pcommon.Resource
	scope      pcommon.InstrumentationScope
	metric     pmetric.Metric
}

// ObserveMetrics judges every data point of a batch and learns it. It does not change
// the batch, and it remembers the verdicts of the last RecentBatches batches. A batch that
// comes again, because the next consumer rejected it or because a second pipeline carries
// it too, gets the same verdicts and is not observed a second time.
func (e *Engine) ObserveMetrics(md pmetric.Metrics, out Output) []Verdict {
	md, deep := intake.Metrics(md)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.selfTick()
	e.refuseDeep(deep)
	key := e.identify(md).Join(series.Text(string(out.Select)))
	defer func() { clear(e.refs) }() // the batch is not ours to keep
	if v, ok := e.recent.Get(key); ok && len(e.refs) > 0 {
		return v
	}
	if len(e.refs) == 0 {
		return nil
	}
	e.budget.Spend(e.now)
	var verdicts []Verdict
	for i := -findAhead; i < len(e.refs); i++ {
		e.fetch(i)
		if i >= 0 {
			verdicts = e.observe(&e.refs[i], out, verdicts)
		}
	}
	e.pass(e.causality.used)
	e.closeRounds()
	e.noteNews()
	e.recent.Put(key, verdicts)
	return verdicts
}

// refuseDeep counts values that were left out.
func (e *Engine) refuseDeep(values int) {
	if values > 0 {
		e.refused[RefusedTooDeep] += uint64(values)
	}
}

// How many points ahead a stream is looked up, its first series is fetched, and
// then the model: each is found through the one before, and by then that is there.
const (
	findAhead   = 8
	seriesAhead = 4
	modelAhead  = 2
)

// fetch has the processor fetch what the points after point i need while that one
// is judged: a collector meets its series in no order, and would wait for memory.
func (e *Engine) fetch(i int) {
	if k := i + findAhead; k < len(e.refs) {
		if found := e.streams.Find(e.refs[k].id); found != nil {
			e.refs[k].found = found
			prefetch.Value(found)
		}
	}
	if k := i + seriesAhead; k >= 0 && k < len(e.refs) && e.refs[k].found != nil {
		prefetch.Value(&e.refs[k].found.Value.series[0])
	}
	if k := i + modelAhead; k >= 0 && k < len(e.refs) && e.refs[k].found != nil {
		prefetch.Value(e.refs[k].found.Value.series[0].model)
	}
}

// identify lists the data points of a batch in e.refs and returns the batch's
// key, made of their identities and times. The engine's own metrics are passed over.
func (e *Engine) identify(md pmetric.Metrics) series.ID {
	e.refs = e.refs[:0]
	key := series.Number(0)
	for i, rm := range md.ResourceMetrics().All() {
		resource := series.Attributes(rm.Resource().Attributes())
		for j, sm := range rm.ScopeMetrics().All() {
			scope := resource.Join(series.Scope(sm.Scope()))
			for k, m := range sm.Metrics().All() {
				if vocabulary.OwnMetric(m.Name()) {
					continue
				}
				first := len(e.refs)
				place := ref{Verdict: Verdict{Resource: i, Scope: j, Metric: k}, metric: m, resource: rm.Resource(), scope: sm.Scope()}
				e.listPoints(scope.Join(metricID(m)), place)
				for n := range e.refs[first:] {
					r := &e.refs[first+n]
					key = key.Join(r.id).Join(series.Number(uint64(r.time)))
				}
				for _, n := range [...]int{i, j, k} { // verdicts lead back to their places
					key = key.Join(series.Number(uint64(n)))
				}
			}
		}
	}
	return key
}

// metricID is the identity of a metric inside its scope. The temporality is no
// part of it: an exporter that changes it goes on with the same series, as long
// as they are of the same statistic.
func metricID(m pmetric.Metric) series.ID {
	id := series.Text(m.Name()).Join(series.Text(m.Unit())).Join(series.Number(uint64(m.Type())))
	if stats := meter.StatisticsOf(m); stats != nil {
		id = id.Join(series.Number(uint64(stats[0])))
	}
	return id
}

// listPoints appends a reference to each data point of place.metric that has a time and a value to e.refs.
func (e *Engine) listPoints(metric series.ID, place ref) {
	add := func(i int, t pcommon.Timestamp, f pmetric.DataPointFlags, a pcommon.Map) {
		switch {
		case f.NoRecordedValue():
			e.refused[RefusedNoValue]++
			return
		case nanos(t) <= 0:
			e.refused[RefusedNoTimestamp]++
			return
		}
		place.Point, place.time, place.attributes = i, nanos(t), a
		place.id = metric.Join(series.Attributes(a))
		e.refs = append(e.refs, place)
	}
	switch m := place.metric; m.Type() {
	case pmetric.MetricTypeGauge:
		for i, dp := range m.Gauge().DataPoints().All() {
			add(i, dp.Timestamp(), dp.Flags(), dp.Attributes())
		}
	case pmetric.MetricTypeSum:
		for i, dp := range m.Sum().DataPoints().All() {
			add(i, dp.Timestamp(), dp.Flags(), dp.Attributes())
		}
	case pmetric.MetricTypeHistogram:
		for i, dp := range m.Histogram().DataPoints().All() {
			add(i, dp.Timestamp(), dp.Flags(), dp.Attributes())
		}
	case pmetric.MetricTypeExponentialHistogram:
		for i, dp := range m.ExponentialHistogram().DataPoints().All() {
			add(i, dp.Timestamp(), dp.Flags(), dp.Attributes())
		}
	case pmetric.MetricTypeSummary:
		for i, dp := range m.Summary().DataPoints().All() {
			add(i, dp.Timestamp(), dp.Flags(), dp.Attributes())
		}
	}
}

// show appends the latest verdict of the series to verdicts, if out wants it.
func (s *tracked) show(r *ref, unit string, out Output, verdicts []Verdict) []Verdict {
	wanted := s.last.shown || out.Select == SelectAll
	if !wanted || out.Select == SelectNone || s.warming() {
		return verdicts
	}
	v := r.Verdict
	v.Statistic, v.Unit = s.stat.String(), unit
	v.End = out.Select == SelectAnomalous && s.last.phase == incident.PhaseEnd
	v.Score, v.Opening, v.Observed = s.last.score, s.last.opening, s.last.observed
	v.Expected, v.Lower, v.Upper = s.last.expected, s.last.lower, s.last.upper
	return append(verdicts, v)
}
