// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package stats

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
)

// The expected values are sums of hypergeometric probabilities, computed by hand.
func TestExcess(t *testing.T) {
	for _, c := range []struct {
		k0, n0, k, n float64
		p            float64
		up           bool
	}{
		{0, 3, 3, 3, 1.0 / 20, true},
		{3, 3, 0, 3, 1.0 / 20, false},
		{1, 10, 3, 4, (4*10 + 1) / 1001.0, true}, // 3 or 4 of the 4 marked are among the 4 drawn of 14
		{0, 0, 3, 3, 1, false},
		{5, 10, 5, 10, 1, false},
		{0, 10, 0, 5, 1, false},
	} {
		s, up := Excess(c.k0, c.n0, c.k, c.n)
		assert.InDelta(t, -math.Log(c.p), s, 1e-9, "%+v", c)
		assert.Equal(t, c.up, up, "%+v", c)
	}
}

func TestExcessOfLargeCounts(t *testing.T) {
	s, up := Excess(1e6, 1e7, 1e5, 9e5)
	assert.True(t, up)
	assert.False(t, math.IsNaN(s) || math.IsInf(s, 0))
	assert.Greater(t, s, 500.0)
	s, _ = Excess(5e7, 1e8, 5e7+1e4, 1e8) // 1.41 standard deviations
	assert.InDelta(t, -math.Log(0.079), s, 0.02)
	one, _ := Excess(100, 1000, 1, 10)
	assert.Less(t, one, 1.0)
}

func TestMostSurprise(t *testing.T) {
	assert.InDelta(t, math.Log(100), MostSurprise(99, 1), 1e-9)
	assert.InDelta(t, math.Log(101*100/2), MostSurprise(99, 2), 1e-9)
	assert.Greater(t, MostSurprise(1000, 100), 100.0)
}

// Without a change, p < x in at most x of all cases, on either side.
func TestExcessIsCalibrated(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const n = 20_000
	below := map[bool]int{}
	for range n {
		draw := func(of int) (k float64) {
			for range of {
				if r.Float64() < 0.3 {
					k++
				}
			}
			return k
		}
		if s, up := Excess(draw(60), 60, draw(20), 20); s > -math.Log(0.02) {
			below[up]++
		}
	}
	for up, k := range below {
		assert.LessOrEqual(t, float64(k)/n, 0.022, "up %v", up)
		assert.Greater(t, float64(k)/n, 0.003, "up %v: the test has no power", up)
	}
}
