// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package stats

import (
	"math"
	"testing"
)

// The newest point weighs 2^(n/HalfLife) times the first, including the halvings.
func TestWeight(t *testing.T) {
	var w Weight
	halvings := 0
	for n := 1; n <= 10*HalfLife; n++ {
		if w.Next() {
			halvings++
		}
		if halvings != n/HalfLife {
			t.Fatalf("after %d points the counts were halved %d times", n, halvings)
		}
		got, want := w.Unit()/leastUnit, math.Exp2(float64(n%HalfLife)/HalfLife)
		if got > want || got < want-1.0/leastUnit {
			t.Fatalf("after %d points one weighs %g, want %g", n, got, want)
		}
		if w.Unit() < leastUnit || w.Unit() > mostUnit || !w.Valid() {
			t.Fatalf("weight %d has the unit %g", w, w.Unit())
		}
	}
	if Weight(HalfLife).Valid() {
		t.Error("a weight beyond the half-life is valid")
	}
}

// The total weight of a long history fits a count, even in one bucket.
func TestWeightFitsCount(t *testing.T) {
	var w Weight
	sum := 0.0
	for range 20 * HalfLife {
		if w.Next() {
			sum /= 2
		}
		if sum += w.Unit(); sum > math.MaxUint16 {
			t.Fatalf("the sum of weights reaches %g", sum)
		}
	}
}

func TestAdd(t *testing.T) {
	c := uint16(math.MaxUint16 - 5)
	if add(&c, 5); c != math.MaxUint16 {
		t.Errorf("got %d", c)
	}
	if add(&c, 9); c != math.MaxUint16 {
		t.Errorf("the count overflowed to %d", c)
	}
	if whole(13, 0.5) != 7 || whole(13, 0.03) != 0 || whole(7, 1) != 7 {
		t.Error("a weight is not rounded to the nearest")
	}
}
