// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/auspex-otel/auspex/internal/detect/calibration"
)

func TestAlphaFallsAtOnceAndRisesSlowly(t *testing.T) {
	f := DefaultConfig().FalseAlarms
	b := newBudget(f.MaxAlpha)
	for _, c := range []struct {
		name      string
		hours     float64
		decisions float64
		want      float64
	}{
		{"nothing known", 0, 0, 1e-3},
		{"a fleet comes", 0, 1e6, 5e-6},
		{"the same", 1, 1e6, 5e-6},
		{"most of it goes", 2, 1e3, 5e-6 * 1.25},
		{"in the same second", 2, 1e3, 5e-6 * 1.25},
		{"half an hour", 2.5, 1e3, 5e-6 * math.Pow(1.25, 1.5)},
		{"a clock that goes back", 0.5, 1e3, 5e-6 * math.Pow(1.25, 1.5)},
		{"a larger one comes", 3, 1e7, 5e-7},
		{"what is wanted is reached, not passed", 1000, 1e6, 5e-6},
		{"and the cap is kept", 10_000, 1, 1e-3},
	} {
		b.spend(f, &perSignal{SignalMetrics: int64(c.decisions)}, at(3600*c.hours))
		assert.InEpsilon(t, c.want, b.spendings[SignalMetrics].alpha, 1e-9, c.name)
	}
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

// Where strange points come in bursts, one burst is one anomaly: then more of them may be strange.
func TestThetaIsLearnedFromBursts(t *testing.T) {
	f := DefaultConfig().FalseAlarms
	rareBy := func(bursts, points int) *spending {
		b := newBudget(f.MaxAlpha)
		s := &tracked{pool: &b.all}
		for range bursts {
			s.n += 1000
			for range points {
				s.n++
				b.learn(SignalMetrics, s, start.UnixNano(), rare-1)
			}
			b.learn(SignalMetrics, s, start.UnixNano(), rare+1) // not rare
		}
		b.spend(f, &perSignal{SignalMetrics: 1e6}, start)
		return &b.spendings[SignalMetrics]
	}
	assert.InDelta(t, 1, rareBy(0, 0).theta(), 0, "unless shown otherwise")
	assert.InDelta(t, 1, rareBy(50, 1).theta(), 0)
	assert.InDelta(t, (50.0+thetaWeight)/(200+thetaWeight), rareBy(50, 4).theta(), 1e-12)
	assert.InEpsilon(t, 5e-6/rareBy(50, 4).theta(), rareBy(50, 4).alpha, 1e-9)
	assert.Less(t, rareBy(5000, 4).theta(), 0.26)
}

func TestPoolsShrinkToAll(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	b := newBudget(1e-3)
	feed := func(p *pool, points int, exaggeration float64) {
		s := &tracked{pool: p}
		for range points {
			b.learn(SignalMetrics, s, start.UnixNano(), exaggeration*math.Log(1-random.Float64()))
		}
	}
	boaster := shared(&b, "boaster", fleet)
	assert.InDelta(t, -9, boaster.young.table.Apply(-9), 0, "nothing is known")
	feed(boaster, 50_000, 2) // claims p where the truth is √p
	assert.InDelta(t, -4.5, boaster.young.table.Apply(-9), 0.3)
	assert.InDelta(t, -4.5, b.all.young.table.Apply(-9), 0.3)

	honest := shared(&b, "honest", fleet)
	assert.InDelta(t, b.all.young.table.Apply(-9), honest.young.table.Apply(-9), 0, "a new pool begins with what all have shown")
	feed(honest, 300, 1)
	young := honest.young.table.Apply(-9)
	assert.Less(t, young, -4.0)
	feed(honest, 500_000, 1)
	assert.InDelta(t, -9, honest.young.table.Apply(-9), 0.4, "and ends with its own")
	assert.Less(t, honest.young.table.Apply(-9), young)

	few := shared(&b, "few", fleet-1)
	feed(few, 50_000, 2)
	assert.Equal(t, b.all.young.table.Apply(-9), few.young.table.Apply(-9), "a few series alike say nothing of their kind")
}

// What young models exaggerate is not held against grown ones, which begin with
// that and end with their own.
func TestGrownModelsAreCountedApart(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	b := newBudget(1e-3)
	p := shared(&b, "m", fleet)
	feed := func(n uint64, points int, exaggeration float64) {
		s := &tracked{pool: p, n: n}
		for range points {
			b.learn(SignalMetrics, s, start.UnixNano(), exaggeration*math.Log(1-random.Float64()))
		}
	}
	feed(grown-1, 50_000, 2)
	assert.InDelta(t, -4.5, p.young.table.Apply(-9), 0.3)
	assert.Same(t, p.young.table, p.grown.table, "nothing else is known")
	feed(grown, 500_000, 1)
	assert.InDelta(t, -9, p.grown.table.Apply(-9), 0.4)
	assert.InDelta(t, -4.5, p.young.table.Apply(-9), 0.3)
	assert.Same(t, &p.young, p.of(grown-1))
	assert.Same(t, &p.grown, p.of(grown))
}

// shared returns the pool of a metric with n series.
func shared(b *budget, metric string, n int) (p *pool) {
	for range n {
		_, p = b.share(metric, statValue)
	}
	return p
}

func TestPoolsAreBoundedAndForgotten(t *testing.T) {
	b := newBudget(1e-3)
	for i := range maxPools {
		id, p := b.share(strconv.Itoa(i), statValue)
		require.NotZero(t, id)
		require.NotSame(t, &b.all, p)
	}
	id, p := b.share("one more", statValue)
	assert.Zero(t, id)
	assert.Same(t, &b.all, p, "it counts among all")
	assert.Len(t, b.pools, maxPools)
	b.release(id, p)

	first, shared := b.share("0", statValue)
	assert.Equal(t, 2, shared.series)
	b.release(first, shared)
	assert.Len(t, b.pools, maxPools, "one series still has it")
	b.release(first, shared)
	assert.Len(t, b.pools, maxPools-1)
	_, p = b.share("one more", statValue)
	assert.NotSame(t, &b.all, p, "there is room again")
	_, rate := b.share("1", statRate)
	assert.Same(t, &b.all, rate, "another statistic is another pool")
}

func TestPoolsGoWithTheirSeries(t *testing.T) {
	w := newWorld(newEngine(), "cart", "payment")
	w.run(2)
	assert.Len(t, w.engine.budget.pools, 1+seriesPerHistogram, "one for each metric and statistic, whatever the service")
	w.engine.Tick(start.Add(48 * time.Hour))
	assert.Empty(t, w.engine.budget.pools)
}

// What pools have counted is forgotten slowly, also over a long gap.
func TestPoolsForget(t *testing.T) {
	b := newBudget(1e-3)
	s := &tracked{pool: &b.all}
	hour := func(h int) int64 { return start.Add(time.Duration(h) * time.Hour).UnixNano() }
	for range 100 {
		s.n += 1000
		b.learn(SignalMetrics, s, hour(0), rare-1)
	}
	for h := 1; h <= 30*24; h++ {
		b.learn(SignalMetrics, s, hour(h), 0)
	}
	assert.InDelta(t, 50, b.spendings[SignalMetrics].rare, 0.1, "one half-life")
	assert.InDelta(t, 50, b.spendings[SignalMetrics].runs, 0.1)
	before := b.spendings[SignalMetrics].rare
	b.learn(SignalMetrics, s, hour(1000*24), 0)
	assert.Greater(t, b.spendings[SignalMetrics].rare, 0.97*before, "a gap, or a clock far ahead, is a day at most")
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
		e.ObserveMetrics(from("s", gauge("m", float64(s*cadence), values...)), shownNone)
	}
	for s := range history {
		observe(s, 0)
	}
	before := e.budget.all.young.count.Total()
	for s := range steps {
		observe(history+s, faulty)
	}
	require.Equal(t, faulty, e.Status().OpenAnomalies)
	return int(math.Round(e.budget.all.young.count.Total() - before))
}

func TestWhatTeaches(t *testing.T) {
	assert.Equal(t, 15*5, taught(t, 15, 0))
	assert.Equal(t, 15*5-(15-1), taught(t, 15, 1), "late in its anomaly a series teaches nothing")
	assert.Equal(t, 15*5-2*(15-1), taught(t, 15, 2))
	assert.Equal(t, wide, taught(t, 15, wide), "in an incident of several series none does: its first points alone opened it")

	// Some of many may have a shock in common, as they have day after day.
	e := newEngine()
	st := &stream{source: &source{service: &service{}}}
	st.source.service.streams = 10 * wideShare
	for followed, teaches := range map[int]bool{0: true, wide: true, 9: true, 10: false, 80: false} {
		st.source.service.followed = followed
		assert.Equal(t, teaches, e.teaches(st, &tracked{}), followed)
		assert.False(t, e.teaches(st, &tracked{openAt: 1}), followed)
	}
}

// The pools, and the tables that they have made, are part of the state.
func TestRestoredBudgetGoesOnToTheBit(t *testing.T) {
	w := newWorld(newEngine(func(c *Config) { c.FalseAlarms = DefaultConfig().FalseAlarms }), "0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
	require.Len(t, w.services, fleet)
	w.run(history)
	disk := persist(t, w.engine)
	require.NoError(t, w.engine.Snapshot(t.Context(), start))
	e, _ := restored(t, disk, float64(w.step-1)*cadence, func(c *Config) { c.FalseAlarms = DefaultConfig().FalseAlarms })
	require.NotEqual(t, *calibration.Identity, *e.budget.all.young.table, "or this proves little")
	again := *w
	again.engine = e
	w.run(300)
	again.run(300)
	assert.Equal(t, w.engine.budget.append(nil), e.budget.append(nil))
	assert.Len(t, e.budget.pools, 1+seriesPerHistogram)
	for id, p := range e.budget.pools {
		require.NotEqual(t, *calibration.Identity, *p.young.table)
		assert.Equal(t, *w.engine.budget.pools[id], *p)
	}
}

func TestBudgetThatCannotBeIsRefused(t *testing.T) {
	for name, change := range map[string]func(*budget){
		"α of 0":        func(b *budget) { b.spendings[SignalMetrics].alpha = 0 },
		"α of 1":        func(b *budget) { b.spendings[SignalMetrics].alpha = 1 },
		"α is NaN":      func(b *budget) { b.spendings[SignalMetrics].alpha = math.NaN() },
		"negative rare": func(b *budget) { b.spendings[SignalMetrics].rare = -1 },
		"negative runs": func(b *budget) { b.spendings[SignalMetrics].runs = -1 },
	} {
		b := newBudget(1e-3)
		require.NoError(t, b.restore(b.append(nil)))
		change(&b)
		assert.ErrorIs(t, b.restore(b.append(nil)), errNotWhole, name)
	}
}

// A daily course by the clock of people, over the end of daylight saving.
func TestTimeZoneDecidesWhatADailyCourseIs(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	first := time.Date(2026, 10, 4, 0, 0, 0, 0, berlin)
	change := time.Date(2026, 10, 25, 3, 0, 0, 0, berlin)
	top := func(zone string) (top float64) {
		e := newEngine(func(c *Config) { c.TimeZone, c.FalseAlarms.MaxAlpha = zone, 3e-4 })
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
	assert.Less(t, inZone, 1.0)
	assert.Greater(t, inUTC, 1.0)
}
