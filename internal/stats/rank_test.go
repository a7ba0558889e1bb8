// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

// A rank turns any falling surprise into a calibrated one. Where its tail is
// lighter than the prior has it, it errs on the quiet side.
func TestRank(t *testing.T) {
	var rng *rand.Rand
	for name, draw := range map[string]func() float64{
		"sum of two": func() float64 { return rng.ExpFloat64() + rng.ExpFloat64() },
		"largest of 5": func() float64 {
			return max(rng.ExpFloat64(), rng.ExpFloat64(), rng.ExpFloat64(), rng.ExpFloat64(), rng.ExpFloat64())
		},
		"half as much": func() float64 { return rng.ExpFloat64() / 2 },
		"mean of seven": func() float64 {
			sum := 0.0
			for range 7 {
				sum += rng.ExpFloat64()
			}
			return sum / 7
		},
	} {
		rng = rand.New(rand.NewPCG(8, 8))
		r, w := NewRank(0.5), Weight(0)
		below := [3]int{}
		const n = 200000
		for i := range n {
			s := draw()
			lp := r.LogP(s, w.Unit())
			for k, p := range []float64{0.1, 0.01, 0.001} {
				if lp < math.Log(p) && i > n/10 {
					below[k]++
				}
			}
			if w.Next() {
				r.Halve()
			}
			r.Add(s, w.Unit(), 1)
			if i%32 == 0 {
				r.Fit(w.Unit(), 0.5)
			}
		}
		for k, p := range []float64{0.1, 0.01, 0.001} {
			if ratio := float64(below[k]) / (0.9 * n * p); ratio < 0.35 || ratio > 1.6 {
				t.Errorf("%s: share of p < %g is %.2f of that", name, p, ratio)
			}
		}
	}
}

// Before anything was seen a rank is exponential, as far as buckets are fine
// enough to tell, and falls with its argument.
func TestRankPrior(t *testing.T) {
	for _, mean := range []float64{0.3, 0.5, 1, 2} {
		r := NewRank(mean)
		prev := 1.0
		for s := 0.0; s < 1e6; s = s*1.1 + 0.05 {
			got := r.LogP(s, leastUnit)
			if got > 0 || got > prev+1e-6 || math.IsInf(got, 0) {
				t.Fatalf("mean %g: ln p at %g is %g, nearer %g", mean, s, got, prev)
			}
			prev = got
			if want := -s / mean; s < 3*mean && math.Abs(got-want) > 0.7 {
				t.Errorf("mean %g: ln p at %g is %g, want about %g", mean, s, got, want)
			}
		}
	}
}

// In the tail ln p falls strictly, and never reaches infinity.
func TestRankFallsStrictly(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	r := NewRank(0.5)
	for range 5000 {
		r.Add(rng.ExpFloat64()/2, leastUnit, 1)
	}
	r.Fit(leastUnit, 0.5)
	prev := 0.0
	for s := rankWidth * float64(r.from); s < 1e30; s *= 1.1 {
		got := r.LogP(s, leastUnit)
		if !(got < prev) || math.IsInf(got, 0) {
			t.Fatalf("ln p at %g is %g, nearer %g", s, got, prev)
		}
		prev = got
	}
}

// A generalised Pareto tail is found: ξ is heavier where the excesses are.
func TestRankShape(t *testing.T) {
	rng := rand.New(rand.NewPCG(10, 10))
	fit := func(draw func() float64) Rank {
		r := NewRank(0.5)
		for range 9000 {
			r.Add(draw(), leastUnit, 1)
		}
		r.Fit(leastUnit, 0.5)
		return r
	}
	light := fit(func() float64 { return rng.ExpFloat64() / 2 })
	heavy := fit(func() float64 { return (math.Pow(rng.Float64(), -0.3) - 1) / 2 })
	if !(heavy.shape > light.shape+0.05) || heavy.LogP(10, leastUnit) < light.LogP(10, leastUnit)+3 {
		t.Errorf("ξ %g and %g, ln p at 10 %g and %g", light.shape, heavy.shape, light.LogP(10, leastUnit), heavy.LogP(10, leastUnit))
	}
}
