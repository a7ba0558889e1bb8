// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"

	"github.com/auspex-otel/auspex/internal/detect/calibration"
	"github.com/auspex-otel/auspex/internal/engine/budget"
	"github.com/auspex-otel/auspex/internal/engine/meter"
	"github.com/auspex-otel/auspex/internal/engine/snapshot"
	"github.com/auspex-otel/auspex/internal/state"
)

// budgetRecord returns the record of the budget in a snapshot of the engine.
func budgetRecord(t *testing.T, e *Engine) (record []byte) {
	t.Helper()
	disk := newMemory()
	disk.data = packed(t, e)
	found, _, err := snapshot.Find(t.Context(), disk)
	require.NoError(t, err)
	require.Len(t, found, 1)
	rest := New(e.cfg, zap.NewNop()) // reads the other records to their ends
	rest.judge.SetNow(e.judge.Now())
	require.NoError(t, found[0].Read(t.Context(), disk, func(tag byte, c *state.Codec) error {
		if tag == snapshot.TagBudget {
			record = slices.Clone(c.Bytes())
			budget.New(e.cfg.FalseAlarms, nil).Persist(c)
			return nil
		}
		return rest.restoreRecord(tag, c)
	}))
	return record
}

// budgetOf reads from the state of the budget how many points young models have
// taught, and how many pools there are: docs/formats/snapshot.md has its layout.
func budgetOf(t *testing.T, e *Engine) (learned float64, pools int) {
	t.Helper()
	c := state.Reader(budgetRecord(t, e))
	c.Float64s(make([]float64, 2*budget.Signals))
	var faded int64
	c.Int64(&faded)
	for i := range 2 { // young, mature
		var unfixed int
		c.Int(&unfixed)
		var count calibration.Count
		var bursts calibration.Bursts
		var table calibration.Table
		count.State(c)
		bursts.State(c)
		table.State(c)
		if i == 0 {
			learned = count.Total()
		}
	}
	c.Length(&pools, 8)
	require.True(t, c.Ok())
	return learned, pools
}

func TestTenTimesTheSeriesIsATenthOfAlpha(t *testing.T) {
	alpha := func(n int) float64 {
		w := newWorld(newEngine(func(c *Config) { c.FalseAlarms = DefaultConfig().FalseAlarms }))
		for i := range n {
			w.services = append(w.services, fmt.Sprint("s", i))
		}
		w.run(3)
		return w.engine.Status().Signals[SignalMetrics].Alpha
	}
	assert.InEpsilon(t, alpha(2)/10, alpha(20), 1e-9)
}

// Series that come with a past are judged at their first point: by an α that counts them.
func TestAlphaFallsBeforeSeriesWithAPastAreJudged(t *testing.T) {
	const n = 50
	values := make([]float64, n)
	batch := func(s int) pmetric.Metrics {
		for i := range values {
			values[i] = 100 + float64((s*7+i)%11)
		}
		return from("s", gauge("m", float64(s*cadence), values...))
	}
	e := newEngine(func(c *Config) { c.FalseAlarms = DefaultConfig().FalseAlarms })
	study := e.NewStudy()
	for s := range history {
		study.Observe(batch(s))
	}
	pasts := &allPasts{}
	for _, p := range study.Pasts() {
		pasts.list = append(pasts.list, p)
	}
	e.SetHistory(pasts)
	require.Len(t, e.ObserveMetrics(batch(history), shownAll), n, "none is warming")
	assert.InEpsilon(t, 5.0/(n*8640), e.Status().Signals[SignalMetrics].Alpha, 1e-9)
}

type allPasts struct{ list []*Past }

func (p *allPasts) Take(Origin) *Past {
	first := p.list[0]
	p.list = p.list[1:]
	return first
}

func TestPoolsGoWithTheirSeries(t *testing.T) {
	w := newWorld(newEngine(), "cart", "payment")
	w.run(2)
	_, pools := budgetOf(t, w.engine)
	assert.Equal(t, 1+meter.MostSamples, pools, "one for each metric and statistic, whatever the service")
	w.engine.Tick(start.Add(48 * time.Hour))
	_, pools = budgetOf(t, w.engine)
	assert.Zero(t, pools)
}

// taught feeds one service's five series for some steps, of which the first faulty ones have a fault, and returns how many points were learned.
func taught(t *testing.T, steps, faulty int) int {
	t.Helper()
	e := newEngine()
	random := rand.New(rand.NewPCG(7, 7))
	values := make([]float64, 5)
	observe := func(s, faulty int) {
		for i := range values {
			values[i] = 100 + random.Float64()
			if i < faulty {
				values[i] += fault
			}
		}
		e.Tick(at(float64(s * cadence)))
		e.ObserveMetrics(from("s", gauge("m", float64(s*cadence), values...)), shownNone)
	}
	for s := range history {
		observe(s, 0)
	}
	before, _ := budgetOf(t, e)
	for s := range steps {
		observe(history+s, faulty)
	}
	require.Equal(t, faulty, e.Status().OpenAnomalies)
	after, _ := budgetOf(t, e)
	return int(math.Round(after - before))
}

func TestWhatTeaches(t *testing.T) {
	assert.Equal(t, 15*5, taught(t, 15, 0))
	assert.Equal(t, 15*5-(15-1), taught(t, 15, 1), "late in its anomaly a series teaches nothing")
	assert.Equal(t, 15*5-2*(15-1), taught(t, 15, 2))
	assert.Equal(t, wide, taught(t, 15, wide), "in an incident of several series none does: its first points alone opened it")
}

// The pools, and the tables that they have made, are part of the state.
func TestRestoredBudgetGoesOnToTheBit(t *testing.T) {
	w := newWorld(newEngine(func(c *Config) { c.FalseAlarms = DefaultConfig().FalseAlarms }), "0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
	w.run(history)
	disk := persist(t, w.engine)
	require.NoError(t, w.engine.Snapshot(t.Context(), start))
	e, _ := restored(t, disk, float64(w.step-1)*cadence, func(c *Config) { c.FalseAlarms = DefaultConfig().FalseAlarms })
	again := *w
	again.engine = e
	w.run(300)
	again.run(300)
	assert.Equal(t, budgetRecord(t, w.engine), budgetRecord(t, e))
	learned, pools := budgetOf(t, e)
	assert.Greater(t, learned, 10_000.0, "or this proves little")
	assert.Equal(t, 1+meter.MostSamples, pools)
}

// A daily course by the clock of people, over the end of daylight saving.
func TestTimeZoneDecidesWhatADailyCourseIs(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	first := time.Date(2026, 10, 4, 0, 0, 0, 0, berlin)
	change := time.Date(2026, 10, 25, 3, 0, 0, 0, berlin)
	top := func(zone string) (top float64) {
		e := newEngine(func(c *Config) { c.TimeZone, c.FalseAlarms.MaxAlpha = zone, 1e-4 })
		random := rand.New(rand.NewPCG(3, 4))
		for now := first; now.Before(change.Add(24 * time.Hour)); now = now.Add(5 * time.Minute) {
			v := 100 + 5*random.NormFloat64()
			if h := now.In(berlin).Hour(); h >= 8 && h < 18 {
				v += 500
			}
			e.Tick(now)
			for _, verdict := range e.ObserveMetrics(from("s", gauge("m", now.Sub(start).Seconds(), v)), shownAll) {
				if now.After(change) {
					top = max(top, verdict.Score)
				}
			}
		}
		return top
	}
	inZone, inUTC := top("Europe/Berlin"), top("")
	t.Logf("greatest score of the day after: %.2f in the zone, %.2f in UTC", inZone, inUTC)
	assert.Less(t, inZone, 1.0)
	assert.Greater(t, inUTC, inZone)
}

// Some series with a hundred points a second cost another service half of its α at most, and nothing an hour after they stopped.
func TestBurstOfFastSeriesIsForgottenWithinAnHour(t *testing.T) {
	e := newEngine(func(c *Config) { c.FalseAlarms = DefaultConfig().FalseAlarms })
	const series = leastGroup - 1 // so that there are no groups
	step := 0
	run := func(n int) float64 {
		for range n {
			e.Tick(at(float64(step * cadence)))
			e.ObserveMetrics(from("slow", gauge("m", float64(step*cadence), make([]float64, series)...)), shownNone)
			step++
		}
		return e.judge.Alpha("slow", SignalMetrics)
	}
	before := run(60)
	for i := range 1000 {
		e.ObserveMetrics(from("fast", gauge("m", float64(step*cadence)+float64(i)/100, make([]float64, series)...)), shownNone)
	}
	assert.Greater(t, run(1), before*0.49)
	assert.Less(t, e.judge.Alpha("fast", SignalMetrics), before/100)
	run(355)
	assert.InEpsilon(t, before, run(5), 0.02, "published in steps of 1 %")
	assert.InDelta(t, series*8640, e.Status().Signals[SignalMetrics].DecisionsPerDay, 1)
}
