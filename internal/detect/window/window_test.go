// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package window

import (
	"bytes"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/auspex-otel/auspex/internal/state"
)

// plain computes the features of the latest values, oldest first, in O(n).
func plain(values []float64, origin, span float64) (f [Dims]float64) {
	n := len(values)
	mean, square, later, earlier := 0.0, 0.0, 0.0, 0.0
	for i, v := range values {
		mean += v / float64(n)
		if i >= n-n/2 {
			later += v / float64(n/2)
		} else {
			earlier += v / float64(n-n/2)
		}
	}
	for _, v := range values {
		square += (v - mean) * (v - mean) / float64(n)
	}
	relative := func(v float64) float64 { return (v - origin) / span }
	return [Dims]float64{
		relative(values[n-1]), relative(mean), relative(slices.Min(values)), relative(slices.Max(values)),
		2 * math.Sqrt(square) / span, (later - earlier) / span,
	}
}

// check compares every full scale with the plain computation, to within the
// given number of fixed-point steps.
func check(t *testing.T, w *Window, values []float64, steps float64) {
	t.Helper()
	for scale, length := range Scales {
		if full := len(values) >= length; full != w.Full(scale) {
			t.Fatalf("%d values: window of %d is full: %v", len(values), length, w.Full(scale))
		} else if !full {
			continue
		}
		got := w.Features(scale)
		for d, x := range plain(values[len(values)-length:], w.origin, w.span) {
			if math.Abs(float64(got[d])-max(-math.MaxInt16, min(math.MaxInt16, x*One))) > steps {
				t.Fatalf("after %d values, window of %d, feature %d: %d, want %.2f", len(values), length, d, got[d], x*One)
			}
		}
	}
}

func TestFeatures(t *testing.T) {
	for seed := range uint64(10) {
		r := rand.New(rand.NewPCG(seed, 1))
		var w Window
		w.Set(-3, 7)
		var values []float64
		for range 1000 {
			v := 2 * r.NormFloat64()
			if r.IntN(20) == 0 {
				v = math.Round(v) // ties
			}
			w.Push(v)
			values = append(values, v)
			check(t, &w, values, 0.6) // half a step is rounding
		}
	}
}

// After the range has changed, the features are those in the new one.
func TestResize(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	var w Window
	w.Set(0, 1)
	low, high := 0.0, 1.0
	var values []float64
	for i := range 2000 {
		v := r.NormFloat64() * (1 + float64(i)/100)
		if v < low || v > high {
			low, high = min(low, v), max(high, v)
			w.Resize(low, high-low)
		}
		w.Push(v)
		values = append(values, v)
		check(t, &w, values, 0.6)
	}
}

// A large value leaves no error behind that is large against itself, and none at
// all once the sums were computed anew.
func TestErrorIsBounded(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	var w Window
	w.Set(0, 1)
	var values []float64
	push := func(v float64) {
		w.Push(v)
		values = append(values, float64(float32(v)))
	}
	for range 3*Length + 7 {
		push(r.Float64())
	}
	push(1e5)
	for range 8 {
		push(r.Float64())
	}
	// The squares reach 1e10, of which a float64 keeps 1e-6: a thousandth in the spread.
	check(t, &w, values, 2)
	for range 2 * Length {
		push(r.Float64())
	}
	check(t, &w, values, 0.6)
}

func TestSpans(t *testing.T) {
	var w Window
	if !w.Spans(7, 7) || w.Spans(7, 8) {
		t.Error("a window without a range")
	}
	w.Set(-3, 7)
	if !w.Spans(-3, 4) || w.Spans(-3, 5) || w.Spans(-2, 5) || w.Spans(-3, -3) {
		t.Error("a window from -3 to 4")
	}
}

func TestMeanAndLast(t *testing.T) {
	var w Window
	w.Set(100, 50)
	for i := range 300 {
		w.Push(float64(i))
		k := min(i+1, 20)
		if got, want := w.Mean(20), float64(i)-float64(k-1)/2; math.Abs(got-want) > 1e-3 {
			t.Fatalf("mean of %d is %g, want %g", k, got, want)
		}
	}
	var last [100]float64
	w.Last(last[:])
	for i, got := range last {
		if math.Abs(got-float64(200+i)) > 1e-3 {
			t.Fatalf("value %d is %g, want %d", i, got, 200+i)
		}
	}
}

// The features do not depend on the unit: a power of two changes none.
func TestScaled(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	var a, b Window
	a.Set(-2, 4)
	b.Set(-2*1024, 4*1024)
	for range 500 {
		v := r.NormFloat64()
		a.Push(v)
		b.Push(1024 * v)
		for scale := range Scales {
			if a.Full(scale) && a.Features(scale) != b.Features(scale) {
				t.Fatalf("%v, scaled %v", a.Features(scale), b.Features(scale))
			}
		}
	}
}

// What is far out is clipped, and a window without a range holds zeros.
func TestExtremes(t *testing.T) {
	var w Window
	for range 2 * Length {
		w.Push(42)
	}
	if f := w.Features(0); f != (Features{}) {
		t.Errorf("without a range: %v", f)
	}
	w.Set(0, 1e-300)
	for i := range 2 * Length {
		w.Push(math.Copysign(1e150, float64(i%2)-0.5))
	}
	for scale := range Scales {
		f := w.Features(scale)
		if f[0] != math.MaxInt16 || f[2] != -math.MaxInt16 || f[3] != math.MaxInt16 || f[4] != math.MaxInt16 {
			t.Errorf("scale %d: %v", scale, f)
		}
	}
}

func TestStateRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	for _, n := range []int{0, 1, 7, 8, 119, 120, 121, 1000} {
		var w, again Window
		w.Set(-5, 10)
		for range n {
			w.Push(r.NormFloat64())
		}
		c := state.Writer(nil)
		w.State(c)
		b := c.Bytes()
		c = state.Reader(b)
		if again.State(c); c.End() != nil || again != w {
			t.Errorf("%d values: %v", n, c.End())
		}
		for _, bad := range [][]byte{nil, b[:len(b)-1], append(slices.Clip(b), 0), bytes.Repeat([]byte{0xff}, len(b)), bytes.Repeat([]byte{120}, len(b))} {
			c = state.Reader(bad)
			if again.State(c); c.End() == nil {
				t.Errorf("%d bytes accepted", len(bad))
			}
		}
	}
}
