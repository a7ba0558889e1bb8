// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package ensemble

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/auspex-otel/auspex/internal/detect"
)

var _ detect.Model = (*Model)(nil)

// mixed returns a series with several features: noise by the time of day, a spike, a shift, and a constant period.
func mixed(n int, seed uint64) []float64 {
	r := rand.New(rand.NewPCG(seed, 3))
	xs := make([]float64, n)
	for i := range xs {
		xs[i] = 100 + 5*r.NormFloat64() + 10*math.Sin(2*math.Pi*float64(i)/288)
		switch phase := i % 1000; {
		case phase == 500:
			xs[i] += 200
		case phase > 600 && phase < 700:
			xs[i] += 40
		case phase > 900:
			xs[i] = 100
		}
	}
	return xs
}

const step = 300e9 // 5 minutes: 288 points a day

// at returns the time of point i.
func at(i int) int64 { return 1767571200e9 + int64(i)*step }

// observe passes the points of xs from the given one on to a model.
func observe(m *Model, xs []float64, from int) []detect.Judgment {
	out := make([]detect.Judgment, 0, len(xs)-from)
	for i := from; i < len(xs); i++ {
		out = append(out, m.Observe(at(i), xs[i]))
	}
	return out
}

// same compares bit by bit, including NaN.
func same(a, b detect.Judgment) bool {
	bits := func(s detect.Judgment) [5]uint64 {
		return [5]uint64{
			math.Float64bits(s.Surprise), math.Float64bits(s.Expected),
			math.Float64bits(s.Lower), math.Float64bits(s.Upper), uint64(s.Kind),
		}
	}
	return bits(a) == bits(b)
}

// sane reports whether s is a valid judgment of a warm model.
func sane(s detect.Judgment) bool {
	return s.Surprise >= 0 && !math.IsInf(s.Surprise, 0) && !math.IsNaN(s.Expected) && s.Lower <= s.Upper
}

func TestWarmUp(t *testing.T) {
	for i, s := range observe(New(nil), mixed(500, 1), 0) {
		if warming := same(s, detect.Warming()); warming != (i < warmUp) {
			t.Fatalf("point %d: %+v", i, s)
		}
	}
}

// TestCut verifies that there is no look-ahead: the judgments of a prefix do not depend on later points.
func TestCut(t *testing.T) {
	xs := mixed(3000, 2)
	whole := observe(New(nil), xs, 0)
	for _, cut := range []int{1, 99, 100, 299, 1500, 2400} {
		changed := slices.Clone(xs)
		for i := cut; i < len(changed); i++ {
			changed[i] = -1e6
		}
		for i, s := range observe(New(nil), changed, 0)[:cut] {
			if !same(s, whole[i]) {
				t.Fatalf("cut at %d: point %d is %+v, was %+v", cut, i, s, whole[i])
			}
		}
	}
}

// TestScaled verifies that a factor of a power of two changes no bit of the judgments.
func TestScaled(t *testing.T) {
	for seed := range uint64(4) {
		xs := mixed(8000, seed)
		ys := make([]float64, len(xs))
		for i, x := range xs {
			ys[i] = 1024 * x
		}
		a, b := observe(New(nil), xs, 0), observe(New(nil), ys, 0)
		for i := range a {
			a[i].Expected, a[i].Lower, a[i].Upper = 1024*a[i].Expected, 1024*a[i].Lower, 1024*a[i].Upper
			if !same(a[i], b[i]) {
				t.Fatalf("seed %d, point %d: %+v, scaled %+v", seed, i, a[i], b[i])
			}
		}
	}
}

// TestScaledAndMoved verifies that an offset of the series changes judgments only by rounding.
func TestScaledAndMoved(t *testing.T) {
	differ, n := 0, 0
	for seed := range uint64(8) {
		xs := mixed(8000, seed)
		ys := make([]float64, len(xs))
		for i, x := range xs {
			ys[i] = 1024*x + 4096
		}
		a, b := observe(New(nil), xs, 0), observe(New(nil), ys, 0)
		for i := range a {
			for _, alpha := range []float64{1e-2, 1e-3, 1e-6} {
				n++
				if (a[i].Surprise > -math.Log(alpha)) != (b[i].Surprise > -math.Log(alpha)) {
					differ++
				}
			}
		}
	}
	if share := float64(differ) / float64(n); share > 0.001 {
		t.Errorf("a share of %.5f of the verdicts differs", share)
	}
}

// TestMovedByWeeks verifies that a shift by whole weeks changes nothing.
func TestMovedByWeeks(t *testing.T) {
	xs := mixed(6000, 3)
	a, b := New(nil), New(nil)
	const weeks = 53 * 7 * 24 * 3600e9
	for i, x := range xs {
		if p, q := a.Observe(at(i), x), b.Observe(at(i)+weeks, x); !same(p, q) {
			t.Fatalf("point %d: %+v, 53 weeks later %+v", i, p, q)
		}
	}
}

// TestInterval verifies that 99 of 100 points of noise are inside the interval, and that p is approximately right
// before calibration over the fleet. The interval is wider at the lower bound of an exponential, because the model
// does not know the bound.
func TestInterval(t *testing.T) {
	var r *rand.Rand
	for name, draw := range map[string]func() float64{
		"normal":      func() float64 { return 100 + 5*r.NormFloat64() },
		"exponential": func() float64 { return r.ExpFloat64() },
	} {
		outside, rare, n := 0, 0, 0
		for seed := range uint64(4) {
			r = rand.New(rand.NewPCG(seed, 6))
			m := New(nil)
			for i := range 40000 {
				n++
				v := draw()
				s := m.Observe(at(i), v)
				if s.Lower > s.Expected || s.Upper < s.Expected {
					t.Fatalf("%s: point %d: expected outside the interval: %+v", name, i, s)
				}
				if v < s.Lower || v > s.Upper {
					outside++
				}
				if s.Surprise > -math.Log(1e-3) {
					rare++
				}
			}
		}
		if share := float64(outside) / float64(n); share < 0.45*detect.OutsideP || share > 1.3*detect.OutsideP {
			t.Errorf("%s: share outside the interval %.4f, want about %.2f", name, share, detect.OutsideP)
		}
		if share := float64(rare) / float64(n); share < 0.5e-3 || share > 2.2e-3 {
			t.Errorf("%s: share of p < 1e-3: %.2g", name, share)
		}
	}
}

// TestFurtherIsStranger verifies that a greater deviation is never much more likely. Beyond the cap of the views it
// is about as likely.
func TestFurtherIsStranger(t *testing.T) {
	m := New(nil)
	observe(m, mixed(5400, 7), 0)
	b := written(t, m)
	for _, sign := range []float64{1, -1} {
		prev := 0.0
		for d := 128.0; d < 1e30; d *= 1.5 {
			s := restored(t, b).Observe(at(5400), 100+sign*d)
			if !(s.Surprise >= 0.9*prev) || math.IsInf(s.Surprise, 0) {
				t.Fatalf("at %g: surprise %g, nearer %g", sign*d, s.Surprise, prev)
			}
			prev = max(prev, s.Surprise)
		}
	}
}

func TestNotFinite(t *testing.T) {
	m := New(nil)
	observe(m, mixed(1000, 8), 0)
	before := written(t, m)
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		if s := m.Observe(at(1000), v); !same(s, detect.Warming()) {
			t.Errorf("%v: %+v", v, s)
		}
	}
	if !slices.Equal(before, written(t, m)) {
		t.Error("a value that is not finite was learned")
	}
}

// TestExtremes verifies that values at the ends of the range leave no NaN in the state, and that the state can be
// read.
func TestExtremes(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	extremes := []float64{math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, 0, 1, 1e-300, 1e300}
	for name, draw := range map[string]func(i int) float64{
		"at random":             func(int) float64 { return extremes[r.IntN(len(extremes))] },
		"alternating":           func(i int) float64 { return extremes[i%2] },
		"ends, then small":      func(i int) float64 { return extremes[i%2] * math.Pow(10, -float64(i/10)) },
		"small, then the ends":  func(i int) float64 { return extremes[i%2] * math.Pow(10, -600+float64(min(i, 6000))/10) },
		"the least above 0":     func(i int) float64 { return extremes[2+i%2] },
		"a constant at the end": func(i int) float64 { return extremes[min(1, i/5000)] },
	} {
		m := New(nil)
		for i := range 12000 {
			if s := m.Observe(at(i), draw(i)); i >= warmUp && !sane(s) {
				t.Fatalf("%s: point %d: %+v", name, i, s)
			}
		}
		restored(t, written(t, m))
	}
}

// TestStrangeTimes verifies that times may repeat, go back, and jump.
func TestStrangeTimes(t *testing.T) {
	r := rand.New(rand.NewPCG(10, 10))
	m := New(nil)
	for i := range 10000 {
		when := []int64{at(i), at(0), math.MaxInt64, math.MinInt64, 0, -r.Int64()}[r.IntN(6)]
		if s := m.Observe(when, 100+r.NormFloat64()); i >= warmUp && !sane(s) {
			t.Fatalf("point %d at %d: %+v", i, when, s)
		}
	}
}

// TestLongConstantThenChange verifies that the first change of a long constant is found, and finally becomes normal.
func TestLongConstantThenChange(t *testing.T) {
	for _, n := range []int{150, 5000, 100000} {
		m := New(nil)
		for i := range n {
			if s := m.Observe(at(i), 42); i >= warmUp && (s.Surprise > -math.Log(detect.OutsideP) || s.Expected != 42) {
				t.Fatalf("point %d of a constant: %+v", i, s)
			}
		}
		if s := m.Observe(at(n), 43); s.Surprise < math.Log(float64(n)) && s.Surprise < -math.Log(1e-3) || s.Kind != detect.KindHigh {
			t.Errorf("the change after %d points: %+v", n, s)
		}
		for i := range 2000 {
			m.Observe(at(n+1+i), 43)
		}
		if s := m.Observe(at(n+2001), 43); s.Surprise > -math.Log(detect.OutsideP) || math.Abs(s.Expected-43) > 1e-6 {
			t.Errorf("2000 points later: %+v", s)
		}
	}
}

// TestLong verifies that the results are the same after a million points, when the first counts have decayed
// completely.
func TestLong(t *testing.T) {
	r := rand.New(rand.NewPCG(16, 16))
	m, below, n := New(nil), 0, 1000000
	for i := range n {
		s := m.Observe(at(i), 100+5*r.NormFloat64())
		if i >= warmUp && !sane(s) {
			t.Fatalf("point %d: %+v", i, s)
		}
		if i >= n/2 && s.Surprise > -math.Log(1e-3) {
			below++
		}
	}
	if share := float64(below) / float64(n/2); share < 0.5e-3 || share > 2e-3 {
		t.Errorf("share of p < 1e-3: %.2g", share)
	}
	if s := m.Observe(at(n), 160); s.Surprise < -math.Log(1e-6) || s.Kind != detect.KindHigh {
		t.Errorf("12 σ: %+v", s)
	}
	restored(t, written(t, m))
}
