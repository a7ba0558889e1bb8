// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package stats

import (
	"math"
	"math/big"
	"testing"
)

// exactTail sums all terms with fractions.
func exactTail(k, n int, q *big.Rat) float64 {
	rest := new(big.Rat).Sub(big.NewRat(1, 1), q)
	power := func(x *big.Rat, e int) *big.Rat {
		p := big.NewRat(1, 1)
		for range e {
			p.Mul(p, x)
		}
		return p
	}
	sum := new(big.Rat)
	for i := k; i <= n; i++ {
		term := new(big.Rat).SetInt(new(big.Int).Binomial(int64(n), int64(i)))
		sum.Add(sum, term.Mul(term, new(big.Rat).Mul(power(q, i), power(rest, n-i))))
	}
	f, _ := sum.Float64()
	return -math.Log(f)
}

func TestBinomialTail(t *testing.T) {
	for _, c := range []struct{ k, n, part, whole int }{{1, 5, 1, 1000}, {3, 5, 1, 1000}, {5, 5, 1, 3}, {40, 100, 1, 4}, {7, 60, 1, 50}, {26, 100, 1, 4}} {
		want := exactTail(c.k, c.n, big.NewRat(int64(c.part), int64(c.whole)))
		if got := BinomialSurprise(c.k, c.n, float64(c.part)/float64(c.whole)); math.Abs(got-want) > 1e-9*math.Abs(want)+1e-9 {
			t.Errorf("%+v: surprise %g, want %g", c, got, want)
		}
	}
}

func TestBinomialTailOfWhatIsExpected(t *testing.T) {
	for _, c := range [][2]int{{0, 10}, {-1, 10}, {2, 10}, {11, 10}} {
		if got := BinomialSurprise(c[0], c[1], 0.2); got != 0 {
			t.Errorf("%v: %g", c, got)
		}
	}
	if got := BinomialSurprise(1_000_000, 1_000_000, 0.5); math.IsNaN(got) || got < 600_000 {
		t.Errorf("surprise of a million successes in a million trials: %g", got)
	}
}
