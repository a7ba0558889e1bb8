// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// first keeps the verdicts on the first data point of the first metric.
func first(list []Verdict) []Verdict {
	var out []Verdict
	for _, v := range list {
		if v.Metric == 0 && v.Point == 0 {
			out = append(out, v)
		}
	}
	return out
}

func TestNothingIsShownWhileNothingIsWrong(t *testing.T) {
	w := newWorld(newEngine(), "cart", "payment")
	for _, list := range w.run(history) {
		assert.Empty(t, list)
	}
	s := w.engine.Status()
	assert.Equal(t, 2*statistics, s.Series)
	assert.Zero(t, s.Warming)
	assert.Zero(t, s.OpenAnomalies)
	assert.Equal(t, uint64(history*2*statistics), s.Points)
	assert.Empty(t, s.Refused)
}

func TestFaultIsShownFromItsFirstPointToFivePointsAfterItsEnd(t *testing.T) {
	w := newWorld(newEngine(), "cart", "payment")
	w.run(history)
	fault := w.run(1, "payment")
	require.Len(t, fault[0], 1)
	v := fault[0][0]
	assert.Equal(t, []any{1, 0, 0, 0, "value", "By", false}, []any{v.Resource, v.Scope, v.Metric, v.Point, v.Statistic, v.Unit, v.End})
	assert.Greater(t, v.Score, 1.0)
	assert.InDelta(t, 1101, v.Observed, 1.1)
	assert.InDelta(t, 101, v.Expected, 1)
	assert.Less(t, v.Lower, v.Expected)
	assert.Less(t, v.Expected, v.Upper)
	assert.Less(t, v.Upper, v.Observed)
	assert.Equal(t, 1, w.engine.Status().OpenAnomalies)

	remembered := w.calm(t, w.services)
	quiet := len(remembered) - 1
	for i, list := range append(remembered, w.run(11)...) {
		switch {
		case i < quiet+8: // three to close, five more
			require.Len(t, list, 1, "point %d after", i)
			assert.False(t, list[0].End)
			assert.Equal(t, i < quiet, list[0].Score >= 1, "point %d after", i)
		case i == quiet+8:
			require.Len(t, list, 1)
			assert.True(t, list[0].End)
		default:
			assert.Empty(t, list)
		}
	}
	assert.Zero(t, w.engine.Status().OpenAnomalies)
	assert.Equal(t, uint64(1), w.engine.Status().AnomaliesOpened)
	i := w.engine.Incidents("")
	require.Len(t, i, 1)
	assert.Equal(t, "payment", i[0].Service)
	assert.Equal(t, at(history*cadence), i[0].Opened)
	again, ok := w.engine.Incident(i[0].ID)
	assert.True(t, ok)
	assert.Equal(t, i[0], again)
}

// A gap longer than the cooldown, shorter than what counts as silence.
func TestCompanionsEndAfterAGap(t *testing.T) {
	e := newEngine()
	observe := func(second int, v float64) []Verdict {
		e.Tick(at(float64(second)))
		return e.ObserveMetrics(from("s", gauge("m", float64(second), v)), shownWhereAnomalous)
	}
	for s := range history { // a point a second
		observe(s, 100+float64(s%7))
	}
	require.Len(t, observe(history, 1e5), 1)
	s := history + 1
	for quiet := 0; quiet < 5; s++ {
		list := observe(s, 100+float64(s%7))
		require.Len(t, list, 1)
		if list[0].Score < 1 {
			quiet++
		}
		require.LessOrEqual(t, s, history+shortestWindow+5)
	}
	list := observe(history+200, 102)
	require.Len(t, list, 1, "it has been shown until now")
	assert.True(t, list[0].End, "it will not be shown again, so it must be ended here")
}

func TestEveryDataPointOfAMetricIsJudged(t *testing.T) {
	e := newEngine()
	observe := func(s int, values ...float64) []Verdict {
		e.Tick(at(float64(s * cadence)))
		return e.ObserveMetrics(from("s", gauge("m", float64(s*cadence), values...)), shownWhereAnomalous)
	}
	for s := range history {
		noise := float64(s % 7)
		require.Empty(t, observe(s, 100+noise, 200-noise, 300+noise))
	}
	list := observe(history, 100, 1e6, -1e6)
	require.Len(t, list, 2)
	assert.Equal(t, []int{1, 2}, []int{list[0].Point, list[1].Point})
	anomalies := e.PendingEvents().Anomalies
	require.Len(t, anomalies, 2)
	kinds := map[string]string{}
	for _, a := range anomalies {
		kinds[a.Attributes["n"]] = a.Kind
	}
	assert.Equal(t, map[string]string{"1": "high", "2": "low"}, kinds)
}

// Several points of one series in a batch are taken in their order.
func TestSeveralPointsOfOneSeriesInABatch(t *testing.T) {
	e := newEngine()
	e.ObserveMetrics(from("s", gauge("m", 0, 1), gauge("m", 10, 2), gauge("m", 20, 3), gauge("m", 15, 4), gauge("m", 20, 5)), shownNone)
	list := e.Series(SeriesQuery{})
	require.Len(t, list, 1)
	assert.Equal(t, uint64(3), list[0].Points)
	assert.InDelta(t, 3, list[0].Observed, 0)
	assert.Equal(t, map[string]uint64{RefusedOutOfOrder: 1, RefusedDuplicate: 1}, e.Status().Refused)
}

// What can't be judged is counted and leaves no trace in a model: the verdicts
// after it are those of an engine that never saw it.
func TestBadPointsPoisonNothing(t *testing.T) {
	clean, dirty := newEngine(), newEngine()
	for s := range history {
		second, v := float64(s*cadence), 100+float64(s*s%13)
		clean.Tick(at(second))
		dirty.Tick(at(second))
		want := clean.ObserveMetrics(from("s", gauge("m", second, v)), shownAll)
		got := dirty.ObserveMetrics(from("s", gauge("m", second, v)), shownAll)
		require.Equal(t, show(want), show(got))

		md := from("s", gauge("m", second+1, math.NaN()), gauge("m", second+2, math.Inf(1)), gauge("m", second+3, math.Inf(-1)),
			gauge("m", second, 1e9), gauge("m", second-1, -1e9), gauge("m", second+4, 1e9))
		noTime := md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(5)
		noTime.Gauge().DataPoints().At(0).SetTimestamp(0)
		assert.Empty(t, clean.ObserveMetrics(pmetric.NewMetrics(), shownWhereAnomalous))
		assert.Empty(t, dirty.ObserveMetrics(md, shownWhereAnomalous))
	}
	assert.Equal(t, clean.Series(SeriesQuery{}), dirty.Series(SeriesQuery{}))
	assert.Equal(t, clean.Status().Signals[SignalMetrics].Alpha, dirty.Status().Signals[SignalMetrics].Alpha)
	assert.Equal(t, map[string]uint64{
		RefusedNotFinite: 3 * history, RefusedDuplicate: history, RefusedOutOfOrder: history, RefusedNoTimestamp: history,
	}, dirty.Status().Refused)
}

func TestSecondCopyOfABatchGetsTheSameVerdicts(t *testing.T) {
	w := newWorld(newEngine(), "cart", "payment")
	w.run(history)
	batch := w.batch(w.step, "cart")
	want := w.engine.ObserveMetrics(batch, shownWhereAnomalous)
	require.NotEmpty(t, want)
	before, views := w.engine.Status(), w.engine.Series(SeriesQuery{})
	for range 3 { // the next consumer refused it
		assert.Equal(t, show(want), show(w.engine.ObserveMetrics(w.batch(w.step, "cart"), shownWhereAnomalous)))
	}
	assert.Equal(t, before, w.engine.Status(), "nothing was observed, nothing refused")
	assert.Equal(t, views, w.engine.Series(SeriesQuery{}))
}

// The same after a restart, or so many batches later that the table has forgotten it: by the series' own memory.
func TestSecondCopyOfABatchAfterTheTableForgotIt(t *testing.T) {
	w := newWorld(newEngine(), "cart")
	w.run(history)
	want := w.run(1, "cart")
	for i := range RecentBatches + 1 {
		w.engine.ObserveMetrics(from("other", gauge("m", float64(i), 1)), shownNone)
	}
	before := w.engine.Status()
	got := w.engine.ObserveMetrics(w.batch(w.step-1, "cart"), shownWhereAnomalous)
	assert.Equal(t, show(want...), show(got))
	after := w.engine.Status()
	assert.Equal(t, before.Points, after.Points)
	assert.Equal(t, uint64(3), after.Refused[RefusedDuplicate]-before.Refused[RefusedDuplicate], "three data points")
}

// A second pipeline carries the same points with another output: its verdicts are those of the first.
func TestSecondPipelineIsOneSeries(t *testing.T) {
	w := newWorld(newEngine(), "cart")
	w.run(history)
	batch := w.batch(w.step, "cart")
	one := w.engine.ObserveMetrics(batch, shownWhereAnomalous)
	points := w.engine.Status().Points
	all := w.engine.ObserveMetrics(batch, shownAll)
	none := w.engine.ObserveMetrics(batch, shownNone)
	assert.Equal(t, points, w.engine.Status().Points)
	require.Len(t, one, 1)
	assert.Len(t, all, statistics)
	assert.Empty(t, none)
	assert.Equal(t, show(one), show(first(all)))
}

// Whichever pipeline comes first, the one that wants anomalous series gets them.
func TestPipelineThatShowsNothingTakesNothingFromAnother(t *testing.T) {
	w := newWorld(newEngine(), "cart")
	w.run(history)
	batch := w.batch(w.step, "cart")
	require.Empty(t, w.engine.ObserveMetrics(batch, shownNone))
	assert.Len(t, w.engine.ObserveMetrics(batch, shownWhereAnomalous), 1)
}

// Two pipelines may carry the same points in batches of another shape: one has a
// filter before the processor, or groups by resource. A verdict's place must be that in its own batch.
func TestVerdictsBelongToTheShapeOfTheirBatch(t *testing.T) {
	const faulty = 1e6
	summary := func(ms pmetric.MetricSlice) {
		m := ms.AppendEmpty()
		m.SetName("summary")
		m.SetEmptySummary().DataPoints().AppendEmpty().SetTimestamp(stamp(1))
	}
	own := func(ms pmetric.MetricSlice) { gauge(vocabulary.MetricScore, 1, 1)(ms) }
	empty := func(ms pmetric.MetricSlice) { ms.AppendEmpty().SetName("nothing in it") }
	shapes := map[string]func(s int, v float64) pmetric.Metrics{
		"alone":         func(s int, v float64) pmetric.Metrics { return from("s", gauge("m", float64(s*cadence), v)) },
		"after summary": func(s int, v float64) pmetric.Metrics { return from("s", summary, gauge("m", float64(s*cadence), v)) },
		"after our own": func(s int, v float64) pmetric.Metrics { return from("s", own, gauge("m", float64(s*cadence), v)) },
		"after nothing": func(s int, v float64) pmetric.Metrics { return from("s", empty, gauge("m", float64(s*cadence), v)) },
		"second resource": func(s int, v float64) pmetric.Metrics {
			md := from("s")
			addService(md, "s", gauge("m", float64(s*cadence), v))
			return md
		},
		"second scope": func(s int, v float64) pmetric.Metrics {
			md := from("s", gauge("m", float64(s*cadence), v))
			rm := md.ResourceMetrics().At(0)
			rm.ScopeMetrics().At(0).CopyTo(rm.ScopeMetrics().AppendEmpty())
			rm.ScopeMetrics().At(0).Metrics().RemoveIf(func(pmetric.Metric) bool { return true })
			return md
		},
	}
	for a, one := range shapes {
		for b, other := range shapes {
			if a == b || a != "alone" && b != "alone" {
				continue
			}
			t.Run(a+" then "+b, func(t *testing.T) {
				e := newEngine()
				for s := range history {
					e.Tick(at(float64(s * cadence)))
					e.ObserveMetrics(one(s, 100+float64(s%7)), shownNone)
				}
				require.Len(t, e.ObserveMetrics(one(history, faulty), shownWhereAnomalous), 1)
				md := other(history, faulty)
				list := e.ObserveMetrics(md, shownWhereAnomalous)
				require.Len(t, list, 1)
				v := list[0]
				require.NotPanics(t, func() {
					m := md.ResourceMetrics().At(v.Resource).ScopeMetrics().At(v.Scope).Metrics().At(v.Metric)
					assert.Equal(t, "m", m.Name(), "the verdict stands beside another metric")
					assert.InDelta(t, faulty, m.Gauge().DataPoints().At(v.Point).DoubleValue(), 0)
				})
			})
		}
	}
}

func TestOwnMetricsPassUnobserved(t *testing.T) {
	e := newEngine()
	assert.Empty(t, e.ObserveMetrics(from("s", gauge(vocabulary.MetricScore, 0, 1), gauge(vocabulary.MetricMaxScore, 0, 1), gauge("anomaly.anything", 0, 1)), shownAll))
	assert.Zero(t, e.Status().Series)
	assert.Empty(t, e.Status().Refused)
	e.ObserveMetrics(from("s", gauge("anomalyscore", 0, 1)), shownAll)
	assert.Equal(t, 1, e.Status().Series)
}

func TestObservingDoesNotChangeTheBatch(t *testing.T) {
	w := newWorld(newEngine(), "cart")
	w.run(history)
	md, untouched := w.batch(w.step, "cart"), w.batch(w.step, "cart")
	md.MarkReadOnly()
	require.NotPanics(t, func() { w.engine.ObserveMetrics(md, shownAll) })
	assert.Equal(t, text(t, untouched), text(t, md))
}

func text(t *testing.T, md pmetric.Metrics) string {
	t.Helper()
	b, err := (&pmetric.JSONMarshaler{}).MarshalMetrics(md)
	require.NoError(t, err)
	return string(b)
}

// Series differ by resource, scope, name, unit, kind and attributes, and by nothing else.
func TestWhatMakesASeries(t *testing.T) {
	e := newEngine()
	build := func(change func(md pmetric.Metrics, m pmetric.Metric)) {
		md := from("s", gauge("m", 0, 1))
		m := md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0)
		change(md, m)
		e.ObserveMetrics(md, shownNone)
	}
	point := func(m pmetric.Metric) pmetric.NumberDataPoint { return m.Gauge().DataPoints().At(0) }
	for i, change := range []func(md pmetric.Metrics, m pmetric.Metric){
		func(pmetric.Metrics, pmetric.Metric) {},
		func(md pmetric.Metrics, _ pmetric.Metric) {
			md.ResourceMetrics().At(0).Resource().Attributes().PutStr("host.name", "b")
		},
		func(md pmetric.Metrics, _ pmetric.Metric) {
			md.ResourceMetrics().At(0).ScopeMetrics().At(0).Scope().SetName("other")
		},
		func(_ pmetric.Metrics, m pmetric.Metric) { m.SetName("n") },
		func(_ pmetric.Metrics, m pmetric.Metric) { m.SetUnit("s") },
		func(_ pmetric.Metrics, m pmetric.Metric) { point(m).Attributes().PutStr("n", "0") },
		func(_ pmetric.Metrics, m pmetric.Metric) {
			s := m.SetEmptySum()
			s.DataPoints().AppendEmpty().SetTimestamp(stamp(0))
			s.DataPoints().At(0).Attributes().PutInt("n", 0)
		},
		func(_ pmetric.Metrics, m pmetric.Metric) {
			m.SetEmptySum().SetIsMonotonic(true)
			m.Sum().DataPoints().AppendEmpty().SetTimestamp(stamp(0))
			m.Sum().DataPoints().At(0).Attributes().PutInt("n", 0)
		},
	} {
		build(change)
		assert.Equal(t, i+1, e.Status().Series, "change %d", i)
	}
	for i, same := range []func(md pmetric.Metrics, m pmetric.Metric){
		func(_ pmetric.Metrics, m pmetric.Metric) { m.SetDescription("words") },
		func(_ pmetric.Metrics, m pmetric.Metric) { point(m).SetIntValue(1) },
		func(_ pmetric.Metrics, m pmetric.Metric) { point(m).SetTimestamp(stamp(10)) },
		func(md pmetric.Metrics, _ pmetric.Metric) { md.ResourceMetrics().At(0).SetSchemaUrl("https://x") },
	} {
		build(same)
		assert.Equal(t, 8, e.Status().Series, "no change %d", i)
	}
}

func TestServiceOfAResource(t *testing.T) {
	e := newEngine()
	for _, attributes := range []map[string]any{{"service.name": "cart", "host.name": "h"}, {"host.name": "h"}, {"service.name": "", "host.name": "h"}, {"x": "y"}, {}, {"service.name": int64(7)}} {
		md := from("?", gauge("m", 0, 1))
		require.NoError(t, md.ResourceMetrics().At(0).Resource().Attributes().FromRaw(attributes))
		e.ObserveMetrics(md, shownNone)
	}
	var services []string
	for _, s := range e.Series(SeriesQuery{}) {
		services = append(services, s.Service)
	}
	slices.Sort(services)
	assert.Equal(t, []string{"7", "cart", "h", "h", "unknown_service", "unknown_service"}, services)
}

func TestUnits(t *testing.T) {
	e := newEngine()
	delta := pmetric.AggregationTemporalityDelta
	batch := func(s float64) pmetric.Metrics {
		md := from("s", gauge("g", s, 1), sum("plain", s, 1, true, delta), sum("bytes", s, 1, true, delta), histogram("h", s, 1, 2, 3, 4, 5))
		md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(2).SetUnit("By")
		return md
	}
	e.ObserveMetrics(batch(0), shownNone)
	var got []string
	for _, s := range e.Series(SeriesQuery{}) {
		got = append(got, strings.Join([]string{s.Metric, s.Statistic, s.Unit}, " "))
	}
	slices.Sort(got)
	assert.Equal(t, []string{"bytes rate By/s", "g value By", "h mean s", "h p50 s", "h p95 s", "h p99 s", "h rate 1/s", "plain rate 1/s"}, got)
}

func TestSeriesQueries(t *testing.T) {
	w := newWorld(newEngine(), "cart", "payment")
	w.run(history)
	w.run(1, "cart")
	e := w.engine
	assert.Len(t, e.Series(SeriesQuery{}), 2*statistics)
	assert.Len(t, e.Series(SeriesQuery{Service: "cart"}), statistics)
	assert.Len(t, e.Series(SeriesQuery{Service: "cart", Metric: "load"}), 2)
	assert.Len(t, e.Series(SeriesQuery{Statistic: "p99"}), 2)
	assert.Len(t, e.Series(SeriesQuery{Limit: 3}), 3)
	assert.Empty(t, e.Series(SeriesQuery{Service: "mail"}))
	top := e.Series(SeriesQuery{Limit: 1})[0]
	assert.Equal(t, "cart", top.Service, "the most anomalous first")
	assert.Greater(t, top.Score, 1.0)
	assert.Equal(t, map[string]string{"n": "0"}, top.Attributes)
	assert.InDelta(t, cadence, top.CadenceSeconds, 0)
	assert.Equal(t, at(history*cadence), top.Time.UTC())
	require.NotNil(t, top.Expected)
	assert.InDelta(t, 101, *top.Expected, 1)

	young := newEngine()
	young.ObserveMetrics(from("s", gauge("m", 0, 1)), shownNone)
	v := young.Series(SeriesQuery{})[0]
	assert.Nil(t, v.Expected)
	assert.Nil(t, v.Lower)
	assert.Nil(t, v.Upper)
	assert.Equal(t, 1, young.Status().Warming)
}

// No look-ahead: an engine that is fed a prefix says what one that is fed everything said of it.
func TestVerdictsOfAPrefixAreEqual(t *testing.T) {
	feed := func(n int) []string {
		w := newWorld(newEngine(), "cart", "payment")
		w.out = shownAll
		var all [][]Verdict
		for step := range n {
			var faulty []string
			if step%150 > 145 {
				faulty = []string{"cart"}
			}
			all = append(all, w.run(1, faulty...)...)
		}
		return show(all...)
	}
	whole := feed(500)
	for _, n := range []int{1, 99, 100, 101, 146, 147, 148, 300, 499} {
		prefix := feed(n)
		require.LessOrEqual(t, len(prefix), len(whole))
		assert.Equal(t, strings.Join(whole[:len(prefix)], "\n"), strings.Join(prefix, "\n"), "cut after %d batches", n)
	}
}

func TestObservingIsSafeForConcurrentUse(t *testing.T) {
	e := newEngine()
	persist(t, e)
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			w := newWorld(e, fmt.Sprint("service", i))
			w.run(100)
		})
		wg.Go(func() {
			for range 20 {
				e.Status()
				e.Series(SeriesQuery{})
				e.Incidents("")
				e.DeliveredEvents(e.PendingEvents())
				e.DeliveredGauges(e.PendingGauges())
			}
		})
	}
	wg.Go(func() {
		for range 5 {
			assert.NoError(t, e.Snapshot(t.Context(), start.Add(time.Hour)))
		}
	})
	wg.Wait()
	assert.Equal(t, uint64(4*100*statistics), e.Status().Points)
}

// Refused points are counted each, also where their batch can't be told from an earlier one.
func TestPointsWithoutTimestampsAreCountedEach(t *testing.T) {
	e := newEngine()
	for range 5 {
		md := from("s", gauge("m", 0, 1, 2))
		for i := range 2 {
			md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).Gauge().DataPoints().At(i).SetTimestamp(0)
		}
		e.ObserveMetrics(md, shownNone)
	}
	assert.Equal(t, map[string]uint64{RefusedNoTimestamp: 10}, e.Status().Refused)
}

// Once warm a point costs no allocation: what is left is a handful for a batch.
func TestObservingDoesNotAllocatePerPoint(t *testing.T) {
	const n = 500
	e := newEngine()
	md := from("s", gauge("m", 0, make([]float64, n)...), histogram("h", 0, 1, 2, 3, 4, 5))
	ms := md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics()
	second := 0.0
	observe := func() {
		second += cadence
		for _, dp := range ms.At(0).Gauge().DataPoints().All() {
			dp.SetTimestamp(stamp(second))
		}
		ms.At(1).Histogram().DataPoints().At(0).SetTimestamp(stamp(second))
		e.ObserveMetrics(md, shownWhereAnomalous)
	}
	for range 2 * RecentBatches {
		observe()
	}
	assert.Less(t, testing.AllocsPerRun(100, observe), float64(n)/10)
}
