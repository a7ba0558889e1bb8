// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package silence

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/state"
)

// learned returns a model of n gaps, which repeat in the given order.
func learned(n int, gaps ...float64) *Gaps {
	g := &Gaps{}
	for i := range n {
		g.Learn(gaps[i%len(gaps)])
	}
	return g
}

func TestAbsenceIsEvidenceBeyondTwiceTheLongestGap(t *testing.T) {
	for _, c := range []struct {
		name  string
		known *Gaps
		gap   float64
		want  float64 // nats
	}{
		{"regular, one point late", learned(1000, 1), 2, 0},
		{"regular, two slots beyond", learned(1000, 1), 4, -2 * math.Log(0.01/1.01)},
		{"regular, jitter is no gap", learned(1000, 0.8, 1.2), 2.4, 0},
		{"regular, long since", learned(1000, 1), 1e6, most},
		{"too young", learned(warmUp-1, 1), 1e6, 0},
		{"old enough", learned(warmUp, 1), 1e6, most},
		{"irregular, as ever", learned(1000, 1, 1, 1, 30), 60, 0},
		{"nothing known", &Gaps{}, 1e6, 0},
	} {
		assert.InDelta(t, c.want, c.known.Surprise(c.gap), 1e-6, c.name)
	}
}

// TestStreamThatMissesPointsIsWaitedForLonger verifies that a stream that often misses points must be absent for
// longer to be surprising.
func TestStreamThatMissesPointsIsWaitedForLonger(t *testing.T) {
	regular, irregular := learned(5000, 1), learned(5000, 1, 1, 1, 10)
	beyond := func(g *Gaps) float64 { return g.Surprise(g.due() + 5) }
	assert.Greater(t, beyond(regular), beyond(irregular)+10)
	assert.InDelta(t, -5*math.Log(9.0/13), beyond(irregular), 0.1, "nine of thirteen slots are missed")
}

func TestSurpriseGrowsWithTheGap(t *testing.T) {
	g := learned(1000, 1, 1, 3)
	last := 0.0
	for gap := 1.0; gap < 100; gap += 0.5 {
		nats := g.Surprise(gap)
		assert.GreaterOrEqual(t, nats, last)
		assert.Equal(t, nats > 0, g.Overdue(gap))
		last = nats
	}
	assert.InDelta(t, most, last, 0, "but it is bounded")
}

func TestLongGapIsForgottenSlowly(t *testing.T) {
	g := learned(1000, 1)
	g.Learn(101)
	assert.InDelta(t, 202, g.due(), 1e-3)
	for range memory {
		g.Learn(1)
	}
	assert.InDelta(t, 2*51, g.due(), 0.1)
}

func TestOneHugeGapMakesNoIrregularStream(t *testing.T) {
	g := learned(1000, 1)
	g.Learn(1e9)
	assert.Less(t, float64(g.missed), 0.2)
}

func TestClockOfALife(t *testing.T) {
	const second, day = int64(1e9), 24 * 3600 * int64(1e9)
	l := Life{}
	for range 1000 {
		l.Advance(10 * second)
	}
	assert.Equal(t, 999*10*second, l.Now(), "the first step says what is usual")

	before := l.Now()
	l.Advance(day)
	assert.Equal(t, 10*second, l.Now()-before, "an outage is one step")
	before = l.Now()
	l.Advance(day)
	assert.LessOrEqual(t, l.Now()-before, 13*second, "another one soon after is hardly longer")

	for range 10 * 8640 {
		l.Advance(10 * second)
	}
	before = l.Now()
	l.Advance(day)
	assert.Less(t, l.Now()-before, 11*second, "what made it longer is forgotten")
}

// TestClockOfALifeFindsTheStepAmongSmallOnes verifies that streams of one source with times a millisecond apart are
// one step of ten seconds.
func TestClockOfALifeFindsTheStepAmongSmallOnes(t *testing.T) {
	const millisecond = int64(1e6)
	l := Life{}
	sent := func(times int) (passed, lived int64) {
		before := l.Now()
		for range times {
			for range 99 {
				l.Advance(millisecond)
			}
			l.Advance(10_000*millisecond - 99*millisecond)
			passed += 10_000 * millisecond
		}
		return passed, l.Now() - before
	}
	sent(200)
	passed, lived := sent(1000)
	assert.InEpsilon(t, float64(passed), float64(lived), 0.01)
}

func TestStateIsRestored(t *testing.T) {
	g, l := learned(300, 1, 2, 7), &Life{}
	l.Advance(5)
	l.Advance(5)
	w := state.Writer(nil)
	g.State(w)
	l.State(w)
	var g2 Gaps
	var l2 Life
	r := state.Reader(w.Bytes())
	g2.State(r)
	l2.State(r)
	require.NoError(t, r.End())
	assert.Equal(t, *g, g2)
	assert.Equal(t, *l, l2)
}

func TestStateThatCannotBeIsRefused(t *testing.T) {
	for name, bad := range map[string]interface{ State(*state.Codec) }{
		"too many gaps":     &Gaps{known: warmUp + 1},
		"negative gap":      &Gaps{beyond: -1},
		"negative misses":   &Gaps{missed: -1},
		"too many misses":   &Gaps{missed: mostMissed + 1},
		"clock before zero": &Life{now: -1},
		"negative step":     &Life{step: -1},
	} {
		w := state.Writer(nil)
		bad.State(w)
		r := state.Reader(w.Bytes())
		if _, ok := bad.(*Gaps); ok {
			(&Gaps{}).State(r)
		} else {
			(&Life{}).State(r)
		}
		assert.ErrorIs(t, r.End(), state.Error, name)
	}
}
