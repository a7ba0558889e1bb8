// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package boxes

import (
	"bytes"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/auspex-otel/auspex/internal/detect/window"
	"github.com/auspex-otel/auspex/internal/state"
)

// at returns features that are all x ranges.
func at(x float64) *window.Features {
	var f window.Features
	for d := range f {
		f[d] = int16(x * window.One)
	}
	return &f
}

func observe(t *testing.T, b *Boxes, f *window.Features) float64 {
	t.Helper()
	g, ok := b.Observe(f)
	if !ok {
		t.Fatal("there is no box")
	}
	return g
}

func TestFirst(t *testing.T) {
	var b Boxes
	if g, ok := b.Observe(at(0.5)); ok {
		t.Errorf("with no box, growth %g", g)
	}
	if g := observe(t, &b, at(0.5)); g != 0 {
		t.Errorf("the same again costs %g", g)
	}
}

// TestRepeatedPattern verifies that a learned pattern costs nothing, and that a new one does.
func TestRepeatedPattern(t *testing.T) {
	var b Boxes
	pattern := func(i int) *window.Features {
		x := math.Sin(2 * math.Pi * float64(i) / 40)
		return &window.Features{int16(1000 * x), int16(500 * x), int16(-300 * x), int16(700 * x), 100, int16(200 * math.Cos(2*math.Pi*float64(i)/40))}
	}
	for i := range 20 * 40 {
		b.Observe(pattern(i))
	}
	for i := range 40 {
		if g := observe(t, &b, pattern(i)); g != 0 {
			t.Errorf("phase %d of what came 20 times costs %g", i, g)
		}
	}
	if g := observe(t, &b, at(2)); g < 1 {
		t.Errorf("what never came costs %g", g)
	}
}

// TestGrowth verifies that growth within the size of the box costs half, and more beyond it.
func TestGrowth(t *testing.T) {
	var b Boxes
	b.Observe(at(0))
	f := *at(0)
	f[3] = window.One
	if g := observe(t, &b, &f); g != 0.5 {
		t.Errorf("one side that grows by a range costs %g, want 0.5", g)
	}
	if b.n != 1 {
		t.Errorf("%d boxes for what fits one", b.n)
	}
	// All sides grow by 2 ranges except one, by 1: the sum 12 exceeds the limit by 12 - limit.
	grown := 2.0*window.Dims - 1
	want := grown + 2*window.Dims - float64(limit)/window.One
	if g := observe(t, &b, at(2)); math.Abs(g-want) > 1e-9 {
		t.Errorf("what outgrows the box costs %g, want %g", g, want)
	}
	if b.n != 2 {
		t.Errorf("%d boxes after one was outgrown", b.n)
	}
}

// TestFurtherCostsMore verifies that the cost increases with distance up to the bound of the features.
func TestFurtherCostsMore(t *testing.T) {
	var b Boxes
	b.Observe(at(0))
	prev := 0.0
	for x := 0.05; x < 31; x += 0.05 {
		c := b
		g := observe(t, &c, at(x))
		if g <= prev {
			t.Fatalf("at %g costs %g, nearer %g", x, g, prev)
		}
		prev = g
	}
}

// TestLeastUsedIsReplaced verifies that the least used box is replaced when all boxes are in use.
func TestLeastUsedIsReplaced(t *testing.T) {
	var b Boxes
	for j := range count {
		for range 10 + j {
			b.Observe(at(2 * float64(j)))
		}
	}
	if b.n != count {
		t.Fatalf("%d boxes in use", b.n)
	}
	b.Observe(at(-10))
	for j := 1; j < count; j++ {
		c := b
		if g := observe(t, &c, at(2*float64(j))); g != 0 {
			t.Errorf("box %d, used %d times, was lost", j, 10+j)
		}
	}
	if g := observe(t, &b, at(0)); g == 0 {
		t.Error("the least used box is still there")
	}
}

// TestUseIsForgotten verifies that a box with many old uses is replaced before one with recent uses.
func TestUseIsForgotten(t *testing.T) {
	var b Boxes
	for range 2000 {
		b.Observe(at(0))
	}
	for i := range 60000 {
		b.Observe(at(2 * float64(1+i%(count-1))))
	}
	b.Observe(at(-10))
	if g := observe(t, &b, at(0)); g == 0 {
		t.Error("a box that was not used for 60,000 points is kept before one in use")
	}
}

// TestUnitIsBounded verifies that the growing weight of a use is rescaled in time.
func TestUnitIsBounded(t *testing.T) {
	var b Boxes
	for i := range 400000 {
		b.Observe(at(2 * float64(i%5)))
		if !(b.unit >= 1 && b.unit <= maxUnit) {
			t.Fatalf("point %d: a use weighs %g", i, b.unit)
		}
	}
	for j := range b.n {
		// In equilibrium each box has a fifth of all uses, of which 1/(1 - forget) are remembered.
		if share := float64(b.use[j]/b.unit) * (1 - forget) * 5; math.Abs(share-1) > 0.05 {
			t.Errorf("box %d has %.2f times its share of uses", j, share)
		}
	}
}

// TestScaled verifies that the unit of the series does not matter: features are fixed-point numbers in ranges, and
// equal features give bit-identical boxes.
func TestScaled(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var a, b Boxes
	var v, w window.Ring
	var vs, ws [window.Short]float32
	in, scaled := window.Unit{Origin: -4, Span: 8}, window.Unit{Origin: -4 * 1024, Span: 8 * 1024}
	for range 3000 {
		x := r.NormFloat64()
		v.Push(vs[:], in.Of(x))
		w.Push(ws[:], scaled.Of(1024*x))
		if !v.Full(vs[:]) {
			continue
		}
		f, g := v.Features(vs[:]), w.Features(ws[:])
		p, _ := a.Observe(&f)
		q, _ := b.Observe(&g)
		if p != q {
			t.Fatalf("growth %g, scaled %g", p, q)
		}
	}
	if a != b {
		t.Error("the boxes differ")
	}
}

func TestStateRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for _, n := range []int{0, 1, 3, 500} {
		var b, again Boxes
		for range n {
			var f window.Features
			for d := range f {
				f[d] = int16(r.IntN(1<<16) - 1<<15)
			}
			b.Observe(&f)
		}
		c := state.Writer(nil)
		b.State(c)
		bytesOf := c.Bytes()
		c = state.Reader(bytesOf)
		if again.State(c); c.End() != nil || again != b {
			t.Errorf("after %d: %v", n, c.End())
		}
		for _, bad := range [][]byte{nil, bytesOf[:len(bytesOf)-1], append(slices.Clip(bytesOf), 0), bytes.Repeat([]byte{0xff}, len(bytesOf)), {count + 1, 0, 0, 0, 0}} {
			c = state.Reader(bad)
			if again.State(c); c.End() == nil {
				t.Errorf("%d bytes accepted", len(bad))
			}
		}
	}
}

// TestStateRefusesBoxInsideOut verifies that a box whose least exceeds its greatest is rejected, because it would
// have a negative growth.
func TestStateRefusesBoxInsideOut(t *testing.T) {
	var b Boxes
	b.Observe(at(1))
	b.box[0].low[2] = b.box[0].high[2] + 1
	c := state.Writer(nil)
	b.State(c)
	c = state.Reader(c.Bytes())
	if b.State(c); c.End() == nil {
		t.Error("accepted")
	}
}
