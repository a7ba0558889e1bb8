// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package calibration

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/auspex-otel/auspex/internal/state"
)

// bursts counts 5,000 minutes of 100 series. One in 1,000 points of each is a surprise, and in one minute of 100 the
// given number occurs together.
func bursts(together int) *Bursts {
	r, b := rand.New(rand.NewPCG(1, 1)), &Bursts{}
	for minute := range int64(5000) {
		shock := r.IntN(100) == 0
		for i := range 100 {
			surprise := 1.0
			if r.IntN(1000) == 0 || shock && i < together {
				surprise = burstFrom + 1
			}
			b.Add(minute*slot+int64(i), surprise)
		}
	}
	return b
}

// TestBursts verifies that independent surprises give a size of 1 for any number of series.
func TestBursts(t *testing.T) {
	if got := (&Bursts{}).Size(); got != 1 {
		t.Errorf("%g before anything was seen", got)
	}
	if got := bursts(0).Size(); got > 1.2 {
		t.Errorf("%.2f where each comes alone", got)
	}
	// n = X + 40·(1 in 100), where X has a mean of .1: (E[n²] − E[n]²)/E[n] = (16 + .1 − .16)/.5
	if got := bursts(40).Size(); math.Abs(got-32) > 6 {
		t.Errorf("%.2f where 40 come together", got)
	}
}

func TestBurstsForget(t *testing.T) {
	b := bursts(40)
	before, sum := b.Size(), b.sum
	b.Forget(0.5)
	if b.Size() != before || b.sum != sum/2 {
		t.Errorf("size %g of %g, %g left of %g", b.Size(), before, b.sum, sum)
	}
}

func TestBurstsState(t *testing.T) {
	b := bursts(40)
	w := state.Writer(nil)
	b.State(w)
	var again Bursts
	r := state.Reader(w.Bytes())
	if again.State(r); r.End() != nil || again != *b {
		t.Errorf("%+v became %+v", *b, again)
	}
	for name, bad := range map[string]Bursts{"negative": {n: -1}, "not a number": {slots: 1, sum: math.NaN()}, "in no slot": {sum: 1}} {
		w := state.Writer(nil)
		bad.State(w)
		r := state.Reader(w.Bytes())
		if again.State(r); r.End() == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// TestTableReckonsWithBursts verifies that surprises in bursts are reduced if few bursts are known, and unchanged if
// there were many, and that narrower pools do not inherit this.
func TestTableReckonsWithBursts(t *testing.T) {
	c := count(9, 1_000_000, 1)
	single, burst := c.Table(Identity, 1), c.Table(Identity, 61)
	if got := single.Apply(12) - burst.Apply(12); got < 1 || got > 2 {
		t.Errorf("at e^-12, of which a few were seen, %.2f nats", got)
	}
	if got := single.Apply(3) - burst.Apply(3); math.Abs(got) > 0.01 {
		t.Errorf("at e^-3, of which many were seen, %.3f nats", got)
	}
	if few := count(4, 5, 1); few.Table(single, 1).excess != few.Table(burst, 1).excess {
		t.Error("the bursts of a wider pool are handed on")
	}
}
