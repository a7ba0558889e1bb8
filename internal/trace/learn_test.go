// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// times returns n logarithms around a median in milliseconds.
func times(r *rand.Rand, n int, median float64) (v sums) {
	for range n {
		v.add(logOf(int64(median * math.Exp(0.3*r.NormFloat64()) * 1e6)))
	}
	return v
}

func taught(r *rand.Rand, windows int) *level {
	l := &level{}
	for range windows {
		l.learn(times(r, 50, 10*math.Exp(0.1*r.NormFloat64())))
	}
	return l
}

func TestLevelDetects(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	l := taught(r, 60)
	assert.Less(t, l.surprise(times(r, 50, 10)), 2.0)
	assert.Zero(t, l.surprise(times(r, 50, 5)), "faster is nothing to blame anyone for")
	slow := l.surprise(times(r, 50, 30))
	assert.Greater(t, slow, 8.0)
	assert.Greater(t, l.surprise(times(r, 50, 100)), slow)
	assert.Less(t, l.surprise(times(r, 1, 30)), slow, "one span says less than fifty")
	assert.InDelta(t, math.Log(3001), l.surprise(times(r, 1, 1e6)), 1e-6, "one of 3,000 that lies far out is one of 3,001")
	young := taught(r, 1)
	assert.Less(t, young.surprise(times(r, 50, 30)), slow, "who saw one window knows less")
	assert.Zero(t, (&level{}).surprise(times(r, 50, 30)), "who saw none knows nothing")
}

func TestLevelLearnsNoFaultButANewNormal(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 1))
	l := taught(r, 60)
	for range 3 {
		l.learn(times(r, 50, 200))
	}
	assert.Greater(t, l.surprise(times(r, 50, 200)), 8.0, "three minutes of a fault are not the new normal")
	l.learn(times(r, 50, 10))
	for range adoptLast {
		l.learn(times(r, 50, 200))
	}
	assert.Less(t, l.surprise(times(r, 50, 200)), 2.0, "ten are")
}

// uses returns n spans of an operation whose ways have the given probabilities.
func uses(r *rand.Rand, n int, chances map[uint64]float64, order []uint64) *counts {
	c := &counts{}
	for range n {
		x := r.Float64()
		for _, way := range order {
			if x -= chances[way]; x < 0 {
				c.add(way, 1)
				break
			}
		}
	}
	return c
}

// worst returns the most surprising novelty and the most surprising change of mix.
func worst(m *mix, now *counts) (novel, mixed float64) {
	m.changes(now, true, func(c change) {
		if c.novel {
			novel = max(novel, c.surprise)
		} else {
			mixed = max(mixed, c.surprise)
		}
	})
	return novel, mixed
}

func TestMixDetects(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 1))
	order := []uint64{0b0110, 0b0010, 0b0001}
	usual := map[uint64]float64{0b0110: 0.7, 0b0010: 0.3}
	m := &mix{}
	for range 30 {
		m.learn(uses(r, 40, usual, order), true)
	}
	novel, mixed := worst(m, uses(r, 40, usual, order))
	assert.Less(t, novel+mixed, 4.0)
	novel, mixed = worst(m, uses(r, 40, map[uint64]float64{0b0110: 0.1, 0b0010: 0.9}, order))
	assert.Less(t, novel, 1.0)
	assert.Greater(t, mixed, 8.0, "more of one that was before")
	novel, _ = worst(m, uses(r, 40, map[uint64]float64{0b0110: 0.5, 0b0010: 0.2, 0b0001: 0.3}, order))
	assert.Greater(t, novel, 8.0, "an item that was never there")
	lost := &counts{}
	lost.add(0, 10)
	novel, _ = worst(m, lost)
	assert.Greater(t, novel, 8.0, "an item that was always there is missing")
}

func TestMixLearnsNoFaultButANewNormal(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 1))
	order := []uint64{0b10, 0b01}
	m := &mix{}
	for range 20 {
		m.learn(uses(r, 40, map[uint64]float64{0b10: 1}, order), true)
	}
	broken := func() *counts { return uses(r, 40, map[uint64]float64{0b01: 1}, order) }
	for range 3 {
		m.learn(broken(), true)
	}
	novel, _ := worst(m, broken())
	assert.Greater(t, novel, 20.0)
	for range adoptLast - 3 {
		m.learn(broken(), true)
	}
	novel, mixed := worst(m, broken())
	assert.Zero(t, novel+mixed)
}

// TestMixKnowsItsDispersion verifies that strong variation between windows reduces the surprise of further variation.
func TestMixKnowsItsDispersion(t *testing.T) {
	order := []uint64{0b10, 0b01}
	teach := func(swing float64) *mix {
		r := rand.New(rand.NewPCG(5, 1))
		m := &mix{}
		for range 60 {
			p := 0.5 + swing*(2*r.Float64()-1)
			m.learn(uses(r, 200, map[uint64]float64{0b10: p, 0b01: 1 - p}, order), true)
		}
		return m
	}
	now := &counts{}
	now.add(0b10, 130)
	now.add(0b01, 70)
	_, steady := worst(teach(0), now)
	_, swinging := worst(teach(0.2), now)
	assert.Less(t, swinging, steady/2)
}

func TestCountsAreBounded(t *testing.T) {
	c := &counts{}
	for i := range uint64(1000) {
		c.add(i, float64(1+i%7))
	}
	require.LessOrEqual(t, len(c.list), maxKeys)
	sum := c.rest
	for _, k := range c.list {
		sum += k.n
	}
	assert.InDelta(t, c.n, sum, 1e-9)
	m := &mix{base: *c}
	for range 2 * forgetWindows {
		m.learn(&counts{list: []counted{{1, 1}}, n: 1}, false)
	}
	assert.Less(t, m.base.n, 3000.0, "what was learned is forgotten gradually")
}

func TestManyItemsShareTheLastBit(t *testing.T) {
	o := newOperation(Operation{Service: "s", Name: "n"})
	for i := range uint64(200) {
		o.way([]uint64{1000 + i})
	}
	require.Len(t, o.items, maxItems)
	assert.Equal(t, uint64(1)<<bitOthers, o.way([]uint64{5}))
}

func TestSketch(t *testing.T) {
	var s Sketch
	assert.True(t, math.IsNaN(s.Quantile(0.5)))
	for i := range 1000 {
		s.add(int64(1+i) * 1e6)
	}
	for _, q := range []float64{0.1, 0.5, 0.95, 0.99} {
		assert.InEpsilon(t, q*1e9, s.Quantile(q), 0.1, "quantile %v", q)
	}
	s = Sketch{}
	s.add(-5)
	s.add(math.MaxInt64)
	assert.Equal(t, uint64(2), s.Count())
	assert.Greater(t, s.Quantile(1), 1e12)
}
