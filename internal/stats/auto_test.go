// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

func surprise(r *Positive, x, w float64) float64 {
	p, nats := r.P(x, w)
	return max(0, nats-math.Log(p))
}

// feed adds n draws like a model, and returns the weight of a point.
func feed(r *Positive, n int, draw func() float64) float64 {
	var w Weight
	for i := range n {
		if w.Next() {
			r.Halve()
		}
		r.Add(draw(), w.Unit(), 1)
		if i%8 == 0 {
			r.Fit(w.Unit())
		}
	}
	r.Fit(w.Unit())
	return w.Unit()
}

// Values of any size are ranked, because the unit adapts.
func TestUnitFollows(t *testing.T) {
	for _, size := range []float64{1e-150, 3e-40, 1e-3, 1, 7, 1e6, 1e60, 1e150} {
		r := NewPositive()
		rng := rand.New(rand.NewPCG(1, 1))
		w := feed(&r, 5000, func() float64 { return size * math.Abs(rng.NormFloat64()) })
		want := -math.Log(0.0455)
		if got := surprise(&r, 2*size, w); math.Abs(got-want) > 0.25 {
			t.Errorf("size %g: surprise at 2 σ %.2f, want %.2f", size, got, want)
		}
		if got := surprise(&r, 10*size, w); got < 15 || math.IsInf(got, 0) || math.IsNaN(got) {
			t.Errorf("size %g: surprise at 10 σ %.2f", size, got)
		}
	}
}

// A power of two changes no bit of p, for any first value.
func TestUnitScales(t *testing.T) {
	a, b := NewPositive(), NewPositive()
	rng := rand.New(rand.NewPCG(2, 2))
	var w Weight
	for i := range 20000 {
		x := math.Abs(rng.NormFloat64())
		switch {
		case i < 100 || i%7 == 0:
			x = 0
		case i > 5000 && i < 10000:
			x *= 1e5 // the unit increases, then decreases again
		}
		u := w.Unit()
		if p, q := surprise(&a, x, u), surprise(&b, 1024*x, u); p != q {
			t.Fatalf("point %d: surprise %g, scaled %g", i, p, q)
		}
		if w.Next() {
			a.Halve()
			b.Halve()
		}
		u = w.Unit()
		a.Add(x, u, 1)
		b.Add(1024*x, u, 1)
		if i%16 == 0 {
			a.Fit(u)
			b.Fit(u)
		}
	}
}

// After values have grown permanently, or decreased within the range of the buckets, they are
// ranked as precisely as before.
func TestUnitMoves(t *testing.T) {
	for _, factor := range []float64{0.05, 1e6} {
		r := NewPositive()
		rng := rand.New(rand.NewPCG(3, 3))
		feed(&r, 3000, rng.ExpFloat64)
		w := feed(&r, 15*HalfLife, func() float64 { return factor * rng.ExpFloat64() })
		once, twice := surprise(&r, 2*factor, w), surprise(&r, 4*factor, w)
		if d := twice - once; math.Abs(d-2) > 0.4 {
			t.Errorf("after a factor of %g, surprise at 2 is %.2f, at 4 %.2f: they should differ by 2", factor, once, twice)
		}
	}
}

// Zeros are not surprising. The first other value is surprising, independent of its size.
func TestZerosThenWakingUp(t *testing.T) {
	r := NewPositive()
	if nats := surprise(&r, 5, leastUnit); nats != 0 {
		t.Errorf("surprise %g before anything was seen", nats)
	}
	w := feed(&r, 2000, func() float64 { return 0 })
	if nats := surprise(&r, 0, w); nats > 0.001 {
		t.Errorf("surprise of another 0 is %g", nats)
	}
	small, large := surprise(&r, 1e-12, w), surprise(&r, 1e12, w)
	if small != large || small < -math.Log(1.0/1500) || small > -math.Log(1.0/6000) {
		t.Errorf("surprise of a small first value: %g, of a large one: %g", small, large)
	}
	for range 4 {
		r.Add(3, w, 1)
		r.Fit(w)
	}
	if again := surprise(&r, 3, w); again > small {
		t.Errorf("the fifth value is more surprising (%g) than the first (%g)", again, small)
	}
	rng := rand.New(rand.NewPCG(4, 4))
	w = feed(&r, 4*HalfLife, func() float64 { return 3 * math.Abs(rng.NormFloat64()) })
	if nats := surprise(&r, 3, w); nats > -math.Log(0.2) {
		t.Errorf("surprise of a value that became normal: %g", nats)
	}
}

// Extreme floats produce finite numbers.
func TestAutoExtremes(t *testing.T) {
	extremes := []float64{0, 5e-324, 1e-310, 1e-300, 1, 1e150, 1e300, math.MaxFloat64}
	r := NewPositive()
	rng := rand.New(rand.NewPCG(6, 6))
	var w Weight
	for i := range 30000 {
		x := extremes[rng.IntN(len(extremes))]
		if nats := surprise(&r, x, w.Unit()); math.IsNaN(nats) || math.IsInf(nats, 0) {
			t.Fatalf("point %d: surprise of %g is %g", i, x, nats)
		}
		if w.Next() {
			r.Halve()
		}
		r.Add(x, w.Unit(), 1)
		if i%5 == 0 {
			r.Fit(w.Unit())
		}
	}
}

// A change of the unit moves every count to the new bucket of its values.
func TestShift(t *testing.T) {
	var s side
	for j := range s.count {
		s.count[j] = uint16(j + 1)
		s.total += uint32(j + 1)
	}
	up, down := s, s
	up.shift(shiftFactor)
	down.shift(1.0 / shiftFactor)
	if up.total != s.total || down.total != s.total {
		t.Errorf("weights %d and %d after shifts of %d", up.total, down.total, s.total)
	}
	for j := 1 + shiftBuckets; j < openEdge; j++ {
		x := math.Sqrt(edgeOf(j) * edgeOf(j+1)) // in the middle of bucket j
		if at := bucketOf(x / shiftFactor); up.count[at] != s.count[j] {
			t.Errorf("up: bucket %d holds %d, want %d", at, up.count[at], s.count[j])
		}
		if at := bucketOf(x * shiftFactor); at < openEdge && down.count[at] != s.count[j] {
			t.Errorf("down: bucket %d holds %d, want %d", at, down.count[at], s.count[j])
		}
	}
}
