// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package calibration

import (
	"bytes"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/auspex-otel/auspex/internal/state"
)

// count returns n points with surprises that are f times the correct ones.
func count(seed uint64, n int, f float64) *Count {
	r := rand.New(rand.NewPCG(seed, 1))
	c := &Count{}
	for range n {
		c.Add(f * r.ExpFloat64())
	}
	return c
}

func TestIdentity(t *testing.T) {
	for x := 0.0; x < 2000; x = x*1.1 + 0.01 {
		if got := Identity.Apply(x); got != x {
			t.Errorf("%g became %g", x, got)
		}
	}
	// Without counts, the table is that of the wider pool.
	if got := *(&Count{}).Table(Identity, 1); got != *Identity {
		t.Errorf("of no points: %v", got.excess)
	}
}

// TestTableCorrects verifies that a correct model is unchanged, and that surprises that are too large or small are
// corrected.
func TestTableCorrects(t *testing.T) {
	const n = 1000000
	for _, f := range []float64{0.7, 1, 1.3} {
		table := count(1, n, f).Table(Identity, 1)
		for _, p := range []float64{0.5, 0.1, 1e-2, 1e-3, 1e-4} {
			nominal := -f * math.Log(p) // the model's surprise at a point of probability p
			if got := table.Apply(nominal); math.Abs(got+math.Log(p)) > 0.35 {
				t.Errorf("factor %g, p %g: surprise %.2f became %.2f, want %.2f", f, p, nominal, got, -math.Log(p))
			}
		}
	}
}

// TestTableExtrapolates verifies that levels without points use the correction of the previous level.
func TestTableExtrapolates(t *testing.T) {
	table := count(2, 100000, 1.5).Table(Identity, 1)
	seen := table.excess[20] // p = e^-8, where 480 points were
	if seen < 1 {
		t.Fatalf("a factor of 1.5 is corrected by %.2f nats at 8", seen)
	}
	for k := 45; k <= levels; k++ {
		if table.excess[k] < seen {
			t.Errorf("level %d: %.2f nats, less than the %.2f where points were", k, table.excess[k], seen)
		}
	}
}

// TestTableShrinks verifies that a pool with few points uses the table of the wider pool, and one with many its own.
func TestTableShrinks(t *testing.T) {
	wider := count(3, 1000000, 1.5).Table(Identity, 1)
	x := 6.0
	few, many := count(4, 5, 1).Table(wider, 1), count(4, 1000000, 1).Table(wider, 1)
	if got, want := few.Apply(x), wider.Apply(x); math.Abs(got-want) > 0.3*math.Abs(x-want) {
		t.Errorf("5 points: %.2f, the wider pool %.2f", got, want)
	}
	if got := many.Apply(x); math.Abs(got-x) > 0.2 {
		t.Errorf("a million points that are right: %.2f, want %.2f", got, x)
	}
}

// TestTableIsBounded verifies that the correction of a broken fleet is bounded.
func TestTableIsBounded(t *testing.T) {
	broken, silent := &Count{}, &Count{}
	for range 100000 {
		broken.Add(1000)
		silent.Add(0)
	}
	for name, c := range map[string]*Count{"all at p = 0": broken, "all at p = 1": silent} {
		for _, burst := range []float64{1, 100, largest} {
			for k, a := range c.Table(Identity, burst).excess {
				if more := c.Table(Identity, burst).more[k]; math.Abs(a) > most || math.IsNaN(a) || !(more >= 0 && more <= most) {
					t.Errorf("%s: level %d: %g and %g nats", name, k, a, more)
				}
			}
		}
	}
	if got := broken.Table(Identity, 1).Apply(1000); got > 1000 || got < 1000-most {
		t.Errorf("1000 became %g", got)
	}
}

// TestTableIsMonotone verifies for any counts that the table preserves the order of surprises and returns none below
// 0.
func TestTableIsMonotone(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	wider := Identity
	for i := range 300 {
		c := &Count{}
		for range r.IntN(30) { // heaps anywhere
			at := 30 * r.Float64()
			for range 1 << r.IntN(16) {
				c.Add(at)
			}
		}
		table := c.Table(wider, 1+r.ExpFloat64()*float64(i))
		w := state.Writer(nil)
		table.State(w)
		again := state.Reader(w.Bytes())
		if (&Table{}).State(again); again.End() != nil {
			t.Fatalf("table %d is refused", i)
		}
		prev := 0.0
		for x := 0.0; x < 60; x += 0.03 {
			got := table.Apply(x)
			if got < prev || math.IsNaN(got) {
				t.Fatalf("table %d: surprise %.3f became %g, a smaller one %g", i, x, got, prev)
			}
			prev = got
		}
		if i%3 == 0 {
			wider = table
		}
	}
}

// TestAdd verifies that surprises of any size are counted, the greatest at the last level.
func TestAdd(t *testing.T) {
	var c Count
	for _, x := range []float64{0, math.Copysign(0, -1), 0.39, 0.41, 1e6, 1e300, math.MaxFloat64} {
		c.Add(x)
	}
	if c.at[0] != 3 || c.at[1] != 1 || c.at[levels-1] != 3 || c.Total() != 7 {
		t.Errorf("%v of %g", c.at, c.Total())
	}
}

func TestForget(t *testing.T) {
	c := count(6, 1000, 1)
	before := *c
	c.Forget(0.25)
	if c.Total() != 250 || c.at[0] != before.at[0]/4 || c.at[3] != before.at[3]/4 {
		t.Errorf("%g left of 1000", c.Total())
	}
}

func TestStateRoundTrip(t *testing.T) {
	c := count(7, 5000, 1.2)
	c.Forget(0.77)
	table := c.Table(Identity, 30)
	w := state.Writer(nil)
	c.State(w)
	table.State(w)
	var c2 Count
	var table2 Table
	whole := w.Bytes()
	r := state.Reader(whole)
	c2.State(r)
	table2.State(r)
	if err := r.End(); err != nil || c2 != *c || table2 != *table {
		t.Errorf("%v, count equal %v, table equal %v", err, c2 == *c, table2 == *table)
	}
	for _, bad := range [][]byte{nil, whole[:len(whole)-1], append(slices.Clip(whole), 0), bytes.Repeat([]byte{0xff}, len(whole)), bytes.Repeat([]byte{0x40}, len(whole))} {
		r = state.Reader(bad)
		c2.State(r)
		table2.State(r)
		if r.End() == nil {
			t.Errorf("%d bytes accepted", len(bad))
		}
	}
}

// TestStateRefusesUnordered verifies that a table that reverses the order of surprises is rejected.
func TestStateRefusesUnordered(t *testing.T) {
	for name, table := range map[string]*Table{"excess": {}, "more": {}} {
		list := &table.excess
		if name == "more" {
			list = &table.more
		}
		list[7], list[8] = 1, 3
		w := state.Writer(nil)
		table.State(w)
		r := state.Reader(w.Bytes())
		if table.State(r); r.End() == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
