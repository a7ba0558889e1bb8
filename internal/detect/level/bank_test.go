// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package level

import (
	"bytes"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/auspex-otel/auspex/internal/state"
)

// start returns a bank that has learned n draws without a season.
func start(n int, draw func() float64) *Bank {
	b := &Bank{}
	b.Restart(draw(), 0)
	for range n {
		b.Learn(draw(), 0, 1, beyond(math.Inf(1)))
	}
	return b
}

// beyond returns the distance of recurring residuals as Learn takes it.
func beyond(far float64) func() float64 { return func() float64 { return far } }

func noise(seed uint64, mean, sd float64) func() float64 {
	r := rand.New(rand.NewPCG(seed, 1))
	return func() float64 { return mean + sd*r.NormFloat64() }
}

// TestScale verifies that the scale is the mean absolute residual.
func TestScale(t *testing.T) {
	b := start(20000, noise(1, 100, 5))
	if want := 5 * math.Sqrt(2/math.Pi); math.Abs(b.Unit()/want-1) > 0.1 {
		t.Errorf("the unit is %.2f, want %.2f", b.Unit(), want)
	}
	if x := b.Residual(100+10*b.Unit(), 0); math.Abs(x-10) > 1 {
		t.Errorf("a residual of 10 scales is %.2f", x)
	}
}

// TestBestPredictor verifies that white noise is predicted by its mean, a random walk by its last value, and a steady
// climb by its trend.
func TestBestPredictor(t *testing.T) {
	if b := start(5000, noise(2, 100, 5)); math.Abs(b.Expect(0)-100) > 2 || b.best/2 != 0 {
		t.Errorf("white noise: %.2f by predictor %d", b.Expect(0), b.best)
	}
	x, draw := 0.0, noise(3, 0, 1)
	walk := start(5000, func() float64 { x += draw(); return x })
	if math.Abs(walk.Expect(0)-x) > 3 || int(walk.best)/2 != levels-1 {
		t.Errorf("random walk at %.2f: %.2f by predictor %d", x, walk.Expect(0), walk.best)
	}
	y := 0.0
	climb := start(3000, func() float64 { y += 7; return y })
	if math.Abs(climb.Expect(0)-(y+7)) > 1 || int(climb.best)/2 != levels {
		t.Errorf("climb to %.2f: %.2f by predictor %d", y, climb.Expect(0), climb.best)
	}
}

// TestSeason verifies that the season is used where it explains the values, and ignored where it is wrong.
func TestSeason(t *testing.T) {
	draw := noise(4, 100, 1)
	follow := func(season func(i int) float64, sign float64) *Bank {
		b := &Bank{}
		b.Restart(100, 0)
		for i := range 5000 {
			b.Learn(draw()+season(i), sign*season(i), 1, beyond(math.Inf(1)))
		}
		return b
	}
	jump := func(i int) float64 { return 50 * float64(i/10%2) } // no level follows this
	right, wrong := follow(jump, 1), follow(jump, -1)
	if !right.Seasonal() || math.Abs(right.Expect(50)-150) > 2 || math.Abs(right.Expect(0)-100) > 2 {
		t.Errorf("a true season: seasonal %v, expects %.1f and %.1f", right.Seasonal(), right.Expect(0), right.Expect(50))
	}
	if wrong.Seasonal() {
		t.Error("a season that is upside down is believed")
	}
}

// TestOutlierIsClipped verifies that an outlier of any size moves the level by at most three scales times its gain.
func TestOutlierIsClipped(t *testing.T) {
	a := start(5000, noise(5, 100, 5))
	b := *a
	unit, before := a.Unit(), a.Expect(0)
	a.Learn(1e9, 0, 1, beyond(huber))
	b.Learn(1e50, 0, 1, beyond(huber))
	if moved := a.Expect(0) - before; moved > huber*gains[0]*unit+1e-9 || moved <= 0 {
		t.Errorf("moved by %g, the scale being %g", moved, unit)
	}
	if a.Expect(0) != b.Expect(0) || a.Unit() != b.Unit() {
		t.Errorf("a larger outlier counts for more: %g and %g", a.Expect(0), b.Expect(0))
	}
}

// TestFarResidualsCount verifies that recurring large residuals count in the scale.
func TestFarResidualsCount(t *testing.T) {
	near, far := start(1000, noise(6, 100, 5)), start(1000, noise(6, 100, 5))
	near.Learn(200, 0, 1, beyond(huber))
	far.Learn(200, 0, 1, beyond(50))
	if far.Unit() <= near.Unit() {
		t.Errorf("scale %g where it recurs, %g where it is new", far.Unit(), near.Unit())
	}
}

// TestRestart verifies that a restart sets the level to the value and keeps the scale.
func TestRestart(t *testing.T) {
	b := start(5000, noise(7, 100, 5))
	unit := b.Unit()
	b.Restart(1000, 0)
	if b.Expect(0) != 1000 || b.Expect(30) != 1000 && b.Expect(30) != 1030 || b.Unit() != unit {
		t.Errorf("expects %g, unit %g, was %g", b.Expect(0), b.Unit(), unit)
	}
	draw := noise(8, 1000, 20)
	for range 400 {
		b.Learn(draw(), 0, 1, beyond(math.Inf(1)))
	}
	if b.Unit() < 2*unit {
		t.Errorf("400 points after a restart the scale is %g, was %g, should be four times that", b.Unit(), unit)
	}
}

// TestConstant verifies that the unit of a constant is that of rounding, and never 0.
func TestConstant(t *testing.T) {
	for _, v := range []float64{0, 42, -1e150, 1e-200} {
		b := start(1000, func() float64 { return v })
		if !(b.Unit() > 0) || b.Unit() > 1e-6*max(math.Abs(v), 1) {
			t.Errorf("constant %g: unit %g", v, b.Unit())
		}
		if x := b.Residual(v, 0); x != 0 {
			t.Errorf("constant %g: residual %g", v, x)
		}
		if x := b.Residual(math.Nextafter(v, math.Inf(1)), 0); math.Abs(x) > 1e-5 {
			t.Errorf("constant %g: rounding is %g scales", v, x)
		}
	}
}

// TestScaled verifies that a factor of a power of two changes no bit.
func TestScaled(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	var a, b Bank
	for i := range 5000 {
		v, season := 100+5*r.NormFloat64(), 3*math.Sin(float64(i)/50)
		if i%1000 == 0 {
			a.Restart(v, season)
			b.Restart(1024*v, 1024*season)
		}
		if x, y := a.Residual(v, season), b.Residual(1024*v, 1024*season); x != y || 1024*a.Expect(season) != b.Expect(1024*season) {
			t.Fatalf("point %d: residual %g, scaled %g", i, x, y)
		}
		a.Learn(v, season, 1, beyond(10))
		b.Learn(1024*v, 1024*season, 1, beyond(10))
	}
}

func TestExtremes(t *testing.T) {
	r := rand.New(rand.NewPCG(10, 10))
	var b Bank
	for i := range 20000 {
		v := []float64{1e150, -1e150, 0, 1e-300, 1}[r.IntN(5)]
		if i == 0 || r.IntN(500) == 0 {
			b.Restart(v, 0)
		}
		if x := b.Residual(v, 0) + b.Unit() + b.Expect(0); math.IsNaN(x) || math.IsInf(x, 0) {
			t.Fatalf("point %d: %+v", i, b)
		}
		b.Learn(v, 0, r.Float64(), beyond([]float64{1, math.Inf(1)}[r.IntN(2)]))
	}
}

func TestStateRoundTrip(t *testing.T) {
	for _, b := range []*Bank{{}, start(1, noise(11, 1, 1)), start(3000, noise(12, 100, 5))} {
		c := state.Writer(nil)
		b.State(c)
		whole := c.Bytes()
		var again Bank
		c = state.Reader(whole)
		if again.State(c); c.End() != nil || again != *b {
			t.Errorf("%v, equal %v", c.End(), again == *b)
		}
		for _, bad := range [][]byte{nil, whole[:len(whole)-1], append(slices.Clip(whole), 0), bytes.Repeat([]byte{0xff}, len(whole))} {
			c = state.Reader(bad)
			if again.State(c); c.End() == nil {
				t.Errorf("%d bytes accepted", len(bad))
			}
		}
	}
}

// TestStateRefuses verifies that an invalid state is rejected. With negative errors, no predictor would be the best.
func TestStateRefuses(t *testing.T) {
	for name, spoil := range map[string]func(b *Bank){
		"negative error":       func(b *Bank) { b.err[3] = -1 },
		"error beyond clip":    func(b *Bank) { b.err[3] = 2 * errorClip * errorClip },
		"negative scale":       func(b *Bank) { b.scale = -1 },
		"level out of range":   func(b *Bank) { b.rest.level[1] = math.MaxFloat64 },
		"trend out of range":   func(b *Bank) { b.plain.trend = -math.MaxFloat64 },
		"no such predictor":    func(b *Bank) { b.best = uint8(predictors) },
		"too old":              func(b *Bank) { b.age = old + 1 },
		"a level but no scale": func(b *Bank) { b.scaleAge = 0 },
	} {
		b := start(100, noise(13, 100, 5))
		spoil(b)
		c := state.Writer(nil)
		b.State(c)
		c = state.Reader(c.Bytes())
		if b.State(c); c.End() == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}
