// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package stats

import (
	"math"

	"github.com/auspex-otel/auspex/internal/exact"
)

// maxTerms bounds the number of summed terms. It suffices for counts of millions.
const maxTerms = 4096

// Excess compares k of n with the earlier k0 of n0. It returns the surprise -ln p of a share at
// least as far off on the side of k/n, and whether that is the upper side. It is Fisher's
// one-sided exact test, which is valid for counts of 3 as well as of a million.
func Excess(k0, n0, k, n float64) (surprise float64, up bool) {
	k0, n0, k, n = math.Round(k0), math.Round(n0), math.Round(k), math.Round(n)
	if n0 < 1 || n < 1 {
		return 0, false
	}
	if up = k*n0 > k0*n; !up { // fewer of these are more of the others
		k0, k = n0-k0, n-k
	}
	all, marked := n0+n, k0+k
	if marked <= 0 || marked >= all || k*n0 == k0*n {
		return 0, up
	}
	// Hypergeometric: x of the n are marked. Each term follows from the preceding one.
	first := lnChoose(marked, k) + lnChoose(all-marked, n-k) - lnChoose(all, n)
	sum, term, ratio := 1.0, 1.0, 0.0
	x := k
	for ; x < min(n, marked) && x < k+maxTerms && term > 1e-12*sum; x++ {
		ratio = (marked - x) * (n - x) / ((x + 1) * (all - marked - n + x + 1))
		term = float64(term * ratio)
		sum += term
	}
	if x == k+maxTerms && ratio < 1 { // the rest decreases faster than a geometric series
		sum += term * ratio / (1 - ratio)
	}
	return max(0, -first-exact.Log(sum)), up
}

// MostSurprise returns the largest -ln p of any rank test of n values against n0 earlier ones: ln
// of the number of ways to choose n of all. A single value is at most the largest of n0 + 1, at
// any distance.
func MostSurprise(n0, n float64) float64 { return lnChoose(n0+n, n) }

func lnChoose(n, k float64) float64 {
	a := exact.Lgamma(n + 1)
	b := exact.Lgamma(k + 1)
	c := exact.Lgamma(n - k + 1)
	return a - b - c
}
