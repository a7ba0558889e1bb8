// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package level

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/auspex-otel/auspex/internal/detect"
)

// mixed is a series with a bit of everything: noise, a spike, a shift, a pause at a constant.
func mixed(n int, seed uint64) []float64 {
	r := rand.New(rand.NewPCG(seed, 3))
	xs := make([]float64, n)
	for i := range xs {
		xs[i] = 100 + 5*r.NormFloat64()
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

func observe(m *Model, xs []float64, from int) []detect.Surprise {
	out := make([]detect.Surprise, 0, len(xs)-from)
	for i := from; i < len(xs); i++ {
		out = append(out, m.Observe(int64(i)*15e9, xs[i]))
	}
	return out
}

// same compares to the bit, NaN included.
func same(a, b detect.Surprise) bool {
	bits := func(s detect.Surprise) [5]uint64 {
		return [5]uint64{
			math.Float64bits(s.LogP), math.Float64bits(s.Expected),
			math.Float64bits(s.Lower), math.Float64bits(s.Upper), uint64(s.Kind),
		}
	}
	return bits(a) == bits(b)
}

func state(t *testing.T, m *Model) []byte {
	t.Helper()
	b, err := m.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestWarmUp(t *testing.T) {
	m := New()
	for i, s := range observe(m, mixed(500, 1), 0) {
		warming := s.LogP == 0 && math.IsNaN(s.Expected) && math.IsNaN(s.Lower) && math.IsNaN(s.Upper) && s.Kind == detect.KindNone
		if warming != (i < warmUp) {
			t.Fatalf("point %d: %+v", i, s)
		}
	}
}

// No look-ahead: what is said of a prefix does not depend on what follows.
func TestCut(t *testing.T) {
	xs := mixed(3000, 2)
	whole := observe(New(), xs, 0)
	for _, cut := range []int{1, 99, 100, 1500, 2400} {
		changed := append([]float64(nil), xs...)
		for i := cut; i < len(changed); i++ {
			changed[i] = -1e6
		}
		for i, s := range observe(New(), changed, 0)[:cut] {
			if !same(s, whole[i]) {
				t.Fatalf("cut at %d: point %d is %+v, was %+v", cut, i, s, whole[i])
			}
		}
	}
}

// A model restored at any point goes on to the bit, and its state is the same.
func TestResume(t *testing.T) {
	xs := mixed(30000, 3) // long enough for the weights to be rescaled once
	for i := 20000; i < 21000; i++ {
		xs[i] = 7
	}
	m := New()
	whole := observe(m, xs, 0)
	want := state(t, m)
	r := rand.New(rand.NewPCG(4, 4))
	cuts := []int{0, 1, settle, rankFrom, warmUp}
	for range 15 {
		cuts = append(cuts, r.IntN(len(xs)))
	}
	for _, cut := range cuts {
		a := New()
		observe(a, xs[:cut], 0)
		b := &Model{}
		if err := b.UnmarshalBinary(state(t, a)); err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		for i, s := range observe(b, xs, cut) {
			if !same(s, whole[cut+i]) {
				t.Fatalf("cut at %d: point %d is %+v, was %+v", cut, cut+i, s, whole[cut+i])
			}
		}
		if !bytes.Equal(state(t, b), want) {
			t.Fatalf("cut at %d: the states differ at the end", cut)
		}
	}
}

// The verdicts do not depend on the unit: a power of two changes no bit of p.
func TestScaled(t *testing.T) {
	xs := mixed(5000, 5)
	ys := make([]float64, len(xs))
	for i, x := range xs {
		ys[i] = 1024 * x
	}
	a, b := observe(New(), xs, 0), observe(New(), ys, 0)
	for i := range a {
		if a[i].LogP != b[i].LogP || a[i].Kind != b[i].Kind {
			t.Fatalf("point %d: %+v, scaled %+v", i, a[i], b[i])
		}
	}
}

// Of 100 points of noise 99 lie inside the band.
func TestBand(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	for name, draw := range map[string]func() float64{
		"normal":      func() float64 { return 100 + 5*r.NormFloat64() },
		"exponential": r.ExpFloat64,
	} {
		m, outside, n := New(), 0, 40000
		for i := range n {
			v := draw()
			s := m.Observe(int64(i), v)
			if s.Lower > s.Expected || s.Upper < s.Expected {
				t.Fatalf("%s: point %d: expected outside the band: %+v", name, i, s)
			}
			if v < s.Lower || v > s.Upper {
				outside++
			}
		}
		if share := float64(outside) / float64(n); share < 0.7*detect.BandP || share > 1.3*detect.BandP {
			t.Errorf("%s: share outside the band %.4f, want about %.2f", name, share, detect.BandP)
		}
	}
}

// Further out is always less likely, as far as floats go.
func TestFurtherIsStranger(t *testing.T) {
	m := New()
	observe(m, mixed(5000, 7), 0)
	b := state(t, m)
	for _, sign := range []float64{1, -1} {
		prev := 0.0
		for d := 64.0; d < 1e30; d *= 1.5 {
			c := &Model{}
			if err := c.UnmarshalBinary(b); err != nil {
				t.Fatal(err)
			}
			s := c.Observe(0, 100+sign*d)
			if !(s.LogP < prev) || math.IsInf(s.LogP, 0) {
				t.Fatalf("at %g: ln p %g, nearer %g", sign*d, s.LogP, prev)
			}
			prev = s.LogP
		}
	}
}

func TestNotFinite(t *testing.T) {
	m := New()
	observe(m, mixed(1000, 8), 0)
	before := state(t, m)
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		if s := m.Observe(0, v); s.LogP != 0 || !math.IsNaN(s.Expected) {
			t.Errorf("%v: %+v", v, s)
		}
	}
	if !bytes.Equal(before, state(t, m)) {
		t.Error("a value that is not finite was learned")
	}
}

// Values at the ends of the range leave nothing behind that is not a number.
func TestExtremes(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	extremes := []float64{math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, 0, 1, 1e-300, 1e300}
	m := New()
	for i := range 20000 {
		s := m.Observe(int64(i), extremes[r.IntN(len(extremes))])
		if i >= warmUp && (math.IsNaN(s.LogP+s.Expected+s.Lower+s.Upper) || math.IsInf(s.LogP, 0) || s.LogP > 0) {
			t.Fatalf("point %d: %+v", i, s)
		}
	}
	if err := New().UnmarshalBinary(state(t, m)); err != nil {
		t.Error(err)
	}
}

// A million points on, when the first counts have shrunk to nothing, all is as before.
func TestLong(t *testing.T) {
	r := rand.New(rand.NewPCG(16, 16))
	m, below, n := New(), 0, 0
	for i := range 1000000 {
		s := m.Observe(int64(i), 100+5*r.NormFloat64())
		if math.IsNaN(s.LogP) {
			t.Fatalf("point %d: %+v", i, s)
		}
		if i >= 900000 {
			n++
			if s.LogP < math.Log(1e-3) {
				below++
			}
		}
	}
	if share := float64(below) / float64(n); share < 0.5e-3 || share > 2e-3 {
		t.Errorf("share of p < 1e-3: %.2g", share)
	}
	if s := m.Observe(0, 160); s.LogP > math.Log(1e-9) || s.Kind != detect.KindHigh {
		t.Errorf("12 σ: %+v", s)
	}
}

func TestUnmarshalRefuses(t *testing.T) {
	m := New()
	observe(m, mixed(1000, 10), 0)
	good := state(t, m)
	if len(good) != Size {
		t.Fatalf("state of %d bytes, Size is %d", len(good), Size)
	}
	nan := append([]byte(nil), good...)
	copy(nan[1:], bytes.Repeat([]byte{0xff}, 8))
	version := append([]byte(nil), good...)
	version[0]++
	for name, b := range map[string][]byte{
		"nothing": nil, "short": good[:Size-1], "long": append(good[:Size:Size], 0), "NaN": nan,
		"version": version, "zeros": make([]byte, Size), "ones": bytes.Repeat([]byte{0xff}, Size),
		"zeros after the version": append([]byte{good[0]}, make([]byte, Size-1)...),
	} {
		if err := New().UnmarshalBinary(b); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func FuzzUnmarshalBinary(f *testing.F) {
	m := New()
	for i, x := range mixed(1200, 11) {
		if i%400 == 0 {
			b, _ := m.AppendBinary(nil)
			f.Add(b)
		}
		m.Observe(0, x)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m := New()
		if m.UnmarshalBinary(b) != nil {
			return
		}
		again, err := m.AppendBinary(nil)
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("what was accepted is written differently: %v", err)
		}
		for i, x := range mixed(1000, 12) {
			if s := m.Observe(int64(i), x); math.IsNaN(s.LogP) || s.LogP > 0 {
				t.Fatalf("point %d: %+v", i, s)
			}
		}
	})
}

func TestCost(t *testing.T) {
	if size := unsafe.Sizeof(Model{}); size > 1536 {
		t.Errorf("a model takes %d bytes, want at most 1536", size)
	}
	m, xs, i := New(), mixed(4000, 13), 0
	if n := testing.AllocsPerRun(3000, func() { m.Observe(int64(i), xs[i%len(xs)]); i++ }); n != 0 {
		t.Errorf("%v allocations per point", n)
	}
}

func BenchmarkObserve(b *testing.B) {
	xs := mixed(4000, 14)
	for name, series := range map[string]int{"hot": 1, "10000 series": 10000} {
		b.Run(name, func(b *testing.B) {
			models := make([]*Model, series)
			for i := range models {
				models[i] = New()
				observe(models[i], xs[:300], 0)
			}
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				models[n%series].Observe(int64(n), xs[(n/series)%len(xs)])
				n++
			}
			b.ReportMetric(float64(unsafe.Sizeof(Model{})), "B/series")
		})
	}
}

func BenchmarkCodec(b *testing.B) {
	m := New()
	observe(m, mixed(1000, 15), 0)
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf, _ = m.AppendBinary(buf[:0])
		if err := m.UnmarshalBinary(buf); err != nil {
			b.Fatal(err)
		}
	}
}
