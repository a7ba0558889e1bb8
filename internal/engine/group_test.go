// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/auspex-otel/auspex/internal/engine/judge"
	"github.com/auspex-otel/auspex/internal/engine/meter"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// wideFleet returns the points of n series of one service at a step: noise, moved by shift.
func wideFleet(n, step int, shift float64) pmetric.Metrics {
	random := rand.New(rand.NewPCG(uint64(n), uint64(step)))
	values := make([]float64, n)
	for i := range values {
		values[i] = 100 + random.NormFloat64() + shift
	}
	return from("cart", gauge("m", float64(60*step), values...))
}

func openedBy(e *Engine) (metrics map[string]int) {
	metrics = map[string]int{}
	for _, a := range e.PendingEvents().Anomalies {
		metrics[a.Metric]++
	}
	return metrics
}

// A shift of two standard deviations opens hardly any of thirty series, and yet it is plain to see.
func TestWideWeakFaultOpensTheGroup(t *testing.T) {
	const n, warm = 30, 1700
	e := newEngine(func(c *Config) { c.FalseAlarms = DefaultConfig().FalseAlarms })
	for step := range warm {
		e.Tick(at(float64(60 * step)))
		e.ObserveMetrics(wideFleet(n, step, 0), shownNone)
	}
	require.Zero(t, openedBy(e)[vocabulary.MetricOutsideInterval])
	e.DeliveredEvents(e.PendingEvents())
	group := e.Series(SeriesQuery{Metric: vocabulary.MetricOutsideInterval})
	require.Len(t, group, 1)
	assert.Equal(t, "cart", group[0].Service)
	assert.InDelta(t, warm-100, group[0].Points, 5, "a point each minute, once the series have verdicts")
	assert.Less(t, group[0].Observed, 0.06)

	for step := range 3 {
		e.Tick(at(float64(60 * (warm + step))))
		e.ObserveMetrics(wideFleet(n, warm+step, 2), shownNone)
	}
	opened := openedBy(e)
	assert.Equal(t, 1, opened[vocabulary.MetricOutsideInterval])
	assert.LessOrEqual(t, opened["m"], n/10)
	pending := e.PendingGauges().Companions
	require.NotEmpty(t, pending)
	c := pending[0]
	assert.Equal(t, vocabulary.MetricOutsideInterval, c.Metric)
	assert.Greater(t, c.Values[1], 0.1)
	assert.False(t, c.End)
}

func TestFewSeriesAreNoGroup(t *testing.T) {
	e := newEngine()
	for step := range 150 {
		e.ObserveMetrics(wideFleet(leastGroup-1, step, 0), shownNone)
	}
	assert.Empty(t, e.Series(SeriesQuery{Metric: vocabulary.MetricOutsideInterval}))
	assert.Zero(t, e.Status().Signals[SignalGroups].DecisionsPerDay)
}

// Fewer strange points than usual open nothing.
func TestGroupIsOneSided(t *testing.T) {
	e := newEngine()
	d := &judge.Derived{Signal: SignalGroups, Service: "cart", Metric: vocabulary.MetricOutsideInterval, Statistics: []meter.Statistic{meter.Value}}
	for step := range 1500 {
		e.Tick(at(float64(60 * step)))
		e.judge.Derive(d, stamp64(60*step), 0.5+0.01*float64(step%3))
	}
	e.judge.Derive(d, stamp64(60*1500), 0)
	e.judge.CollectFindings()
	assert.Empty(t, openedBy(e))
	e.judge.Derive(d, stamp64(60*1501), 1)
	e.judge.CollectFindings()
	assert.Len(t, openedBy(e), 1)
}

func stamp64(seconds int) int64 { return int64(stamp(float64(seconds))) }

// A group goes on after a restart as if there had been none.
func TestGroupSurvivesRestart(t *testing.T) {
	const n, warm = 40, 160
	play := func(restartAt int) []SeriesView {
		e, store := newEngine(), newMemory()
		require.NoError(t, e.Load(t.Context(), store, start))
		for step := range warm {
			if step == restartAt {
				require.NoError(t, e.Snapshot(t.Context(), start))
				e = newEngine()
				require.NoError(t, e.Load(t.Context(), store, start))
			}
			md := wideFleet(n, step, 0)
			if step%3 == 1 { // a round need not end with a batch
				md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).Gauge().DataPoints().RemoveIf(func(dp pmetric.NumberDataPoint) bool {
					v, _ := dp.Attributes().Get("n")
					return v.Int()%2 == 0
				})
			}
			e.ObserveMetrics(md, shownNone)
		}
		return e.Series(SeriesQuery{Metric: vocabulary.MetricOutsideInterval})
	}
	assert.Equal(t, play(-1), play(131))
}
