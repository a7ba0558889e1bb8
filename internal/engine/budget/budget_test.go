// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package budget

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/state"
)

var (
	start    = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	fiveADay = FalseAlarms{Count: 5, Per: 24 * time.Hour, Replicas: 1, MaxAlpha: 1e-3}
)

func at(seconds float64) time.Time { return start.Add(time.Duration(seconds * float64(time.Second))) }

// again writes a budget and reads it into a new one.
func again(b *Budget) error {
	w := state.Writer(nil)
	b.Persist(w)
	r := state.Reader(w.Bytes())
	New(fiveADay, nil).Persist(r)
	return r.End()
}

// counted sets the decisions per day of a service's metrics.
func counted(b *Budget, a *Account, decisions, series int64) {
	b.Count(a, Metrics, decisions-a.decisions[Metrics], series-a.series[Metrics])
}

func TestAlphaFallsAtOnceAndRisesWithinAnHour(t *testing.T) {
	b, a := New(fiveADay, nil), &Account{}
	quarter := math.Pow(alphaRise, 0.25)
	for _, c := range []struct {
		name      string
		hours     float64
		decisions int64
		want      float64
	}{
		{"nothing known", 0, 0, 1e-3},
		{"a fleet comes", 0, 1e6, 5e-6},
		{"the same", 1, 1e6, 5e-6},
		{"a burst", 1.5, 1e12, 5e-12},
		{"it is over", 1.5, 1e6, 5e-12},
		{"a quarter of an hour", 1.75, 1e6, 5e-12 * quarter},
		{"a clock that goes back", 0.5, 1e6, 5e-12 * quarter},
		{"an hour", 1.5, 1e6, 5e-6},
		{"and the cap is kept", 10_000, 1, 1e-3},
	} {
		counted(b, a, c.decisions, min(c.decisions, 10))
		b.Spend(at(3600 * c.hours))
		assert.InEpsilon(t, c.want, b.Alpha(a, Metrics, math.MaxInt64), 0.01, c.name)
	}
}

func TestBudgetIsDividedByService(t *testing.T) {
	b := New(fiveADay, nil)
	quiet, fast, idle := &Account{}, &Account{}, &Account{}
	counted(b, quiet, 1e5, 20)
	b.Spend(start)
	alone := b.Alpha(quiet, Metrics, math.MaxInt64)
	assert.InEpsilon(t, 5e-5, alone, 0.01)
	counted(b, fast, 2e8, 20)
	b.Spend(start)
	assert.InEpsilon(t, alone/2, b.Alpha(quiet, Metrics, math.MaxInt64), 0.01, "as many series as it has itself, however fast they are")
	assert.InEpsilon(t, 2.5/2e8, b.Alpha(fast, Metrics, math.MaxInt64), 0.01)
	assert.InEpsilon(t, 1e-3, b.Alpha(idle, Metrics, math.MaxInt64), 0.01)
	counted(b, fast, 2e8, 1e6)
	b.Spend(start)
	assert.Greater(t, b.Alpha(quiet, Metrics, math.MaxInt64), alone/4, "however many they are")
	b.Spend(start.Add(time.Hour))
	accounts := func(yield func(*Account) bool) { _ = yield(quiet) && yield(fast) && yield(idle) }
	assert.InEpsilon(t, 5/(1e5+2e8), b.Mean(Metrics, accounts), 0.01, "all of it is spent")
	counted(b, fast, 0, 0)
	b.Spend(start.Add(2 * time.Hour))
	assert.InEpsilon(t, alone, b.Alpha(quiet, Metrics, math.MaxInt64), 0.01)
}

// TestAccountIsKept verifies that α survives a restart of the engine.
func TestAccountIsKept(t *testing.T) {
	b, a := New(fiveADay, nil), &Account{}
	counted(b, a, 1e12, 10)
	b.Spend(start)
	b.Alpha(a, Metrics, math.MaxInt64)
	w := state.Writer(nil)
	a.Persist(w)
	read := &Account{}
	r := state.Reader(w.Bytes())
	read.Persist(r)
	require.NoError(t, r.End())
	for _, bad := range []float64{0, 1, math.NaN()} {
		wrong := *a
		wrong.alpha[Logs] = bad
		w := state.Writer(nil)
		wrong.Persist(w)
		r := state.Reader(w.Bytes())
		(&Account{}).Persist(r)
		require.Error(t, r.End())
	}
	other, resumed := New(fiveADay, nil), &Account{}
	counted(other, resumed, 1e6, 10)
	other.ResumeAccount(resumed, read, 0)
	other.Spend(start)
	assert.InEpsilon(t, 5e-12, other.Alpha(resumed, Metrics, math.MaxInt64), 0.01)
}

// TestThetaIsLearnedFromBursts verifies that α increases if anomalous points occur in bursts, because one burst is
// one anomaly.
func TestThetaIsLearnedFromBursts(t *testing.T) {
	alpha := 0.0
	rareBy := func(bursts, points int) *spending {
		b, a := New(fiveADay, nil), &Account{}
		m, n := &Member{pool: &b.all}, uint64(0)
		for range bursts {
			n += 1000
			for range points {
				n++
				b.Learn(Metrics, m, n, start.UnixNano(), rare+1, 1e-3)
			}
			b.Learn(Metrics, m, n, start.UnixNano(), rare-1, 1e-3) // not rare
		}
		counted(b, a, 1e6, 10)
		b.Spend(start)
		alpha = b.Alpha(a, Metrics, math.MaxInt64)
		return &b.spendings[Metrics]
	}
	assert.InDelta(t, 1, rareBy(0, 0).theta(), 0, "unless shown otherwise")
	assert.InDelta(t, 1, rareBy(50, 1).theta(), 0)
	assert.InDelta(t, (50.0+thetaWeight)/(200+thetaWeight), rareBy(50, 4).theta(), 1e-12)
	assert.InEpsilon(t, 5e-6/rareBy(50, 4).theta(), alpha, 0.01)
	assert.Less(t, rareBy(5000, 4).theta(), 0.26)
}

func TestPoolsShrinkToAll(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	b := New(fiveADay, nil)
	feed := func(p *pool, points int, exaggeration float64) {
		m := &Member{pool: p}
		for range points {
			b.Learn(Metrics, m, 0, start.UnixNano(), -exaggeration*math.Log(1-random.Float64()), 1e-3)
		}
	}
	boaster := shared(b, 1, fleet)
	assert.InDelta(t, 9, boaster.young.table.latest().Apply(9), 0, "nothing is known")
	feed(boaster, 50_000, 2) // returns p if the truth is √p
	assert.InDelta(t, 4.5, boaster.young.table.latest().Apply(9), 0.3)
	assert.InDelta(t, 4.5, b.all.young.table.latest().Apply(9), 0.3)

	honest := shared(b, 2, fleet)
	assert.InDelta(t, b.all.young.table.latest().Apply(9), honest.young.table.latest().Apply(9), 0, "a new pool begins with what all have shown")
	feed(honest, 300, 1)
	young := honest.young.table.latest().Apply(9)
	assert.Greater(t, young, 4.0)
	feed(honest, 500_000, 1)
	assert.InDelta(t, 9, honest.young.table.latest().Apply(9), 0.4, "and ends with its own")
	assert.Greater(t, honest.young.table.latest().Apply(9), young)

	few := shared(b, 3, fleet-1)
	feed(few, 50_000, 2)
	assert.Equal(t, b.all.young.table.latest().Apply(9), few.young.table.latest().Apply(9), "a few series alike say nothing of their kind")
}

// TestMatureModelsAreCountedApart verifies that mature models start from the table of young ones, and then learn
// their own.
func TestMatureModelsAreCountedApart(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	b := New(fiveADay, nil)
	p := shared(b, 1, fleet)
	feed := func(n uint64, points int, exaggeration float64) {
		m := &Member{pool: p}
		for range points {
			b.Learn(Metrics, m, n, start.UnixNano(), -exaggeration*math.Log(1-random.Float64()), 1e-3)
		}
	}
	feed(mature-1, 50_000, 2)
	assert.InDelta(t, 4.5, p.young.table.latest().Apply(9), 0.3)
	assert.Same(t, p.young.table.latest(), p.mature.table.latest(), "nothing else is known")
	feed(mature, 500_000, 1)
	assert.InDelta(t, 9, p.mature.table.latest().Apply(9), 0.4)
	assert.InDelta(t, 4.5, p.young.table.latest().Apply(9), 0.3)
	assert.Same(t, &p.young, p.of(mature-1))
	assert.Same(t, &p.mature, p.of(mature))
}

// shared returns the pool of n series.
func shared(b *Budget, id uint64, n int) *pool {
	var m Member
	for range n {
		m = Member{}
		b.Join(&m, id)
	}
	return m.pool
}

func TestPoolsAreBoundedAndForgotten(t *testing.T) {
	b := New(fiveADay, nil)
	for i := range uint64(maxPools) {
		require.NotSame(t, &b.all, shared(b, i+1, 1))
	}
	var first, last Member
	b.Join(&last, maxPools+1)
	assert.Same(t, &b.all, last.pool, "it counts among all")
	assert.Len(t, b.pools, maxPools)
	b.Leave(&last)

	b.Join(&first, 1)
	assert.Equal(t, 2, first.pool.series)
	b.Leave(&first)
	assert.Len(t, b.pools, maxPools, "one series still has it")
	b.Leave(&first)
	assert.Len(t, b.pools, maxPools-1)
	assert.NotSame(t, &b.all, shared(b, maxPools+1, 1), "there is room again")
	assert.Equal(t, maxPools, b.all.series)
}

// TestPoolsForget verifies that counts decay slowly, and at most by a day over a long gap.
func TestPoolsForget(t *testing.T) {
	b := New(fiveADay, nil)
	m, n := &Member{pool: &b.all}, uint64(0)
	hour := func(h int) int64 { return start.Add(time.Duration(h) * time.Hour).UnixNano() }
	for range 100 {
		n += 1000
		b.Learn(Metrics, m, n, hour(0), rare+1, 1e-3)
	}
	for h := 1; h <= 30*24; h++ {
		b.Learn(Metrics, m, n, hour(h), 0, 1e-3)
	}
	assert.InDelta(t, 50, b.spendings[Metrics].rare, 0.1, "one half-life")
	assert.InDelta(t, 50, b.spendings[Metrics].runs, 0.1)
	before := b.spendings[Metrics].rare
	b.Learn(Metrics, m, n, hour(1000*24), 0, 1e-3)
	assert.Greater(t, b.spendings[Metrics].rare, 0.97*before, "a gap, or a clock far ahead, is a day at most")
}

func TestBudgetThatCannotBeIsRefused(t *testing.T) {
	for name, change := range map[string]func(*Budget){
		"negative rare": func(b *Budget) { b.spendings[Metrics].rare = -1 },
		"negative runs": func(b *Budget) { b.spendings[Metrics].runs = -1 },
	} {
		b := New(fiveADay, nil)
		require.NoError(t, again(b))
		change(b)
		assert.ErrorIs(t, again(b), state.Error, name)
	}
}

// TestSharesOfTheBudget verifies that the share of an absent signal is divided among the others in proportion.
func TestSharesOfTheBudget(t *testing.T) {
	assert.InDelta(t, 1, (&Decisions{Metrics: 7}).share(Metrics), 0)
	assert.InDelta(t, .5/.6, (&Decisions{Metrics: 7, Groups: 1}).share(Metrics), 1e-12)
	assert.InDelta(t, .1/.6, (&Decisions{Metrics: 7, Groups: 1}).share(Groups), 1e-12)
	all := &Decisions{1, 1, 1, 1, 1, 1}
	for s, want := range [...]float64{.5, .15, .1, .1, .05, .1} {
		assert.InDelta(t, want, all.share(Signal(s)), 1e-12)
	}
}

func TestSignalsHaveNamesInJSON(t *testing.T) {
	b, err := json.Marshal(map[Signal]int{Logs: 3})
	require.NoError(t, err)
	assert.JSONEq(t, `{"logs":3}`, string(b))
	var back map[Signal]int
	require.NoError(t, json.Unmarshal(b, &back))
	assert.Equal(t, map[Signal]int{Logs: 3}, back)
	assert.Error(t, json.Unmarshal([]byte(`{"smells":3}`), &back))
}

func TestAlphaSpendsTheBudget(t *testing.T) {
	day := 24 * time.Hour
	for _, c := range []struct {
		budget    FalseAlarms
		decisions float64
		want      float64
	}{
		{FalseAlarms{Count: 5, Per: day, Replicas: 1, MaxAlpha: 1e-3}, 1e6, 5e-6},
		{FalseAlarms{Count: 10, Per: day, Replicas: 1, MaxAlpha: 1e-3}, 1e6, 1e-5},
		{FalseAlarms{Count: 5, Per: day / 2, Replicas: 1, MaxAlpha: 1e-3}, 1e6, 1e-5},
		{FalseAlarms{Count: 5, Per: 7 * day, Replicas: 1, MaxAlpha: 1e-3}, 1e6, 5e-6 / 7},
		{FalseAlarms{Count: 5, Per: day, Replicas: 4, MaxAlpha: 1e-3}, 1e6, 5e-6 / 4},
		{FalseAlarms{Count: 5, Per: day, Replicas: 1, MaxAlpha: 1e-3}, 1e7, 5e-7},
		{FalseAlarms{Count: 5, Per: day, Replicas: 1, MaxAlpha: 1e-3}, 100, 1e-3},
		{FalseAlarms{Count: 5, Per: day, Replicas: 1, MaxAlpha: 1e-4}, 100, 1e-4},
		{FalseAlarms{Count: 5, Per: day, Replicas: 1, MaxAlpha: 1e-3}, 0, 1e-3},
	} {
		assert.InEpsilon(t, c.want, c.budget.alpha(1, c.decisions), 1e-12, "%+v at %v", c.budget, c.decisions)
	}
}
