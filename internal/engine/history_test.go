// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/auspex-otel/auspex/internal/engine/view"
	"github.com/auspex-otel/auspex/internal/topology"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// shelf is a history by the name of the metric.
type shelf struct {
	pasts map[string]*Past
	asked []string
}

func (s *shelf) Take(o Origin) *Past {
	service, _ := o.Resource.Attributes().Get(vocabulary.ServiceName)
	s.asked = append(s.asked, fmt.Sprint(service.Str(), o.Scope.Name(), o.Metric.Name(), o.Attributes.AsRaw()))
	past := s.pasts[o.Metric.Name()]
	delete(s.pasts, o.Metric.Name())
	return past
}

// bare is a batch that says as little of its identity as history does.
func bare(put ...func(pmetric.MetricSlice)) pmetric.Metrics {
	md := from("", put...)
	rm := md.ResourceMetrics().At(0)
	rm.Resource().Attributes().Clear()
	pcommon.NewInstrumentationScope().CopyTo(rm.ScopeMetrics().At(0).Scope())
	for _, m := range rm.ScopeMetrics().At(0).Metrics().All() {
		m.SetUnit("")
		if m.Type() == pmetric.MetricTypeGauge {
			m.Gauge().DataPoints().At(0).Attributes().Clear()
		}
	}
	return md
}

// reading is one data point of each kind.
func reading(step int, wrong float64) []func(pmetric.MetricSlice) {
	seconds := float64(step * cadence)
	total := 0.0
	for i := range step + 1 {
		total += 50 + float64(i*i%13)
	}
	return []func(pmetric.MetricSlice){
		gauge("load", seconds, 100+float64(step*step%17)+wrong),
		sum("orders", seconds, total+wrong, true, pmetric.AggregationTemporalityCumulative),
		histogram("latency", seconds, uint64(50+step*step%7), 30, uint64(10+step%3), 5, uint64(wrong)),
	}
}

// study learns the first readings.
func study(e *Engine, steps int) *shelf {
	s := e.NewStudy()
	for i := range steps {
		s.Observe(bare(reading(i, 0)...))
	}
	return &shelf{pasts: maps.Collect(s.Pasts())}
}

// An engine that has read the history has the same intervals as one that was there, and continues alike.
func TestHistoryIsAsGoodAsHavingBeenThere(t *testing.T) {
	there, late := newEngine(), newEngine()
	for i := range history {
		there.Tick(at(float64(i * cadence)))
		there.ObserveMetrics(from("cart", reading(i, 0)...), shownAll)
	}
	late.SetHistory(study(late, history))
	for i := history; i < history+20; i++ {
		wrong := 0.0
		if i >= history+10 {
			wrong = 1000
		}
		md := from("cart", reading(i, wrong)...)
		there.Tick(at(float64(i * cadence)))
		late.Tick(at(float64(i * cadence)))
		want, got := there.ObserveMetrics(md, shownAll), late.ObserveMetrics(md, shownAll)
		require.Len(t, got, statistics)
		require.Equal(t, intervals(want), intervals(got), "step %d", i)
	}
	want, got := modelsOf(t, there), modelsOf(t, late)
	require.Len(t, got, statistics)
	assert.Equal(t, want, got)
	assert.Equal(t, there.Status().Signals[SignalMetrics].DecisionsPerDay, late.Status().Signals[SignalMetrics].DecisionsPerDay)
	assert.Positive(t, late.Status().OpenAnomalies)
	assert.Zero(t, late.Status().Warming)
	assert.Equal(t, uint64(20*statistics), late.Status().Points, "what was judged live, and no more")
	assert.Equal(t, uint64(statistics), late.Warmed())
	views := late.Series(SeriesQuery{Metric: "load"})
	require.Len(t, views, 1)
	assert.Equal(t, []string{"cart", "By"}, []string{views[0].Service, views[0].Unit}, "with its own identity")
}

// intervals lists the prediction intervals of verdicts: they depend on these alone, while a score depends on the fleet, too.
func intervals(verdicts []Verdict) []string {
	for i := range verdicts {
		verdicts[i].Score = 0
	}
	return show(verdicts)
}

// A fault in history is learned like any other data, but opens nothing and is not reported.
func TestHistoryReportsNothing(t *testing.T) {
	e := newEngine()
	s := e.NewStudy()
	for i := range history {
		wrong := 0.0
		if i > history-100 && i < history-95 {
			wrong = 1000
		}
		s.Observe(bare(reading(i, wrong)...))
	}
	require.Positive(t, s.engine.Status().AnomaliesOpened, "there is a fault to be told of")
	e.SetHistory(&shelf{pasts: maps.Collect(s.Pasts())})
	verdicts := e.ObserveMetrics(from("cart", reading(history, 0)[:1]...), shownWhereAnomalous)
	assert.Empty(t, verdicts)
	assert.Empty(t, e.PendingEvents().Anomalies)
	assert.Empty(t, e.PendingGauges().Companions)
	assert.Zero(t, e.Status().AnomaliesOpened)
	assert.Zero(t, e.Status().OpenAnomalies)
}

func TestHistoryIsAskedOnceForEachNewStream(t *testing.T) {
	e := newEngine()
	h := study(e, history)
	e.SetHistory(h)
	for i := range 3 {
		e.ObserveMetrics(from("cart", gauge("load", float64((history+i)*cadence), 100, 100)), shownAll)
	}
	assert.Equal(t, []string{"carttestloadmap[n:0]", "carttestloadmap[n:1]"}, h.asked)
	assert.Equal(t, uint64(1), e.Warmed(), "the second of them found nothing left")
	e.SetHistory(nil)
	e.ObserveMetrics(from("mail", gauge("load", float64(history*cadence), 100)), shownAll)
	assert.Len(t, h.asked, 2)
}

func TestHistoryThatDoesNotFit(t *testing.T) {
	for name, md := range map[string]pmetric.Metrics{
		"another statistic":                from("cart", sum("load", history*cadence, 100, true, pmetric.AggregationTemporalityCumulative)),
		"a point from long before its end": from("cart", gauge("load", (history-lateBeforeRestart-2)*cadence, 100)),
	} {
		e := newEngine()
		e.SetHistory(study(e, history))
		e.ObserveMetrics(md, shownAll)
		assert.Zero(t, e.Warmed(), name)
		assert.Equal(t, 1, e.Status().Warming, name)
	}
	e := newEngine()
	e.SetHistory(study(e, history))
	e.ObserveMetrics(from("cart", gauge("load", (history-2)*cadence, 100)), shownAll)
	assert.Equal(t, uint64(1), e.Warmed(), "a point that is a little late")
}

// A past that was adopted is in the state like what was seen.
func TestAdoptedPastIsInTheSnapshot(t *testing.T) {
	e := newEngine()
	m := persist(t, e)
	e.SetHistory(study(e, history))
	e.ObserveMetrics(from("cart", reading(history, 0)...), shownAll)
	require.NoError(t, e.Snapshot(t.Context(), at((history+1)*cadence)))
	again, _ := restored(t, m, (history+1)*cadence)
	md := from("cart", reading(history+1, 0)...)
	assert.Equal(t, show(e.ObserveMetrics(md, shownAll)), show(again.ObserveMetrics(md, shownAll)))
}

func TestOriginsOfWhatIsKnown(t *testing.T) {
	e := newEngine()
	e.ObserveMetrics(from("cart", append(reading(0, 0), sum("stock", 0, 1, false, pmetric.AggregationTemporalityCumulative))...), shownAll)
	var got []string
	for o := range e.Origins() {
		service, _ := o.Resource.Attributes().Get(vocabulary.ServiceName)
		got = append(got, strings.Join([]string{service.Str(), o.Scope.Name(), o.Metric.Name(), o.Metric.Unit(), o.Metric.Type().String()}, " "))
	}
	assert.ElementsMatch(t, []string{
		"cart test load By Gauge", "cart test load By Sum", "cart test orders  Sum", "cart test orders  Sum",
		"cart test latency s Histogram", "cart test latency s Summary", "cart test stock  Gauge", "cart test stock  Sum",
	}, got)
}

// modelsOf returns the models of all series, each with its number of points, by series.
func modelsOf(t *testing.T, e *Engine) map[string]string {
	t.Helper()
	models := map[string]string{}
	e.Look(func(rows view.Rows, _ *topology.Graph) {
		for row := range rows {
			b, err := row.Model.AppendBinary(nil)
			require.NoError(t, err)
			models[row.ID.String()] = fmt.Sprintf("%d %x", row.Points, b)
		}
	})
	return models
}
