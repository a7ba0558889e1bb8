// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package stats

import "math"

// maxTerms bounds the terms that are summed one by one: enough for counts of millions.
const maxTerms = 4096

// Excess compares k of n with k0 of n0 from before and returns the surprise -ln p
// of a share at least as far off on the side that k/n lies on, and whether that
// is the upper side. It is Fisher's exact test, one-sided: counts of 3 are judged
// as well as counts of a million.
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
	// Hypergeometric: x of the n are marked. Each term follows from the one before.
	first := lnChoose(marked, k) + lnChoose(all-marked, n-k) - lnChoose(all, n)
	sum, term, ratio := 1.0, 1.0, 0.0
	x := k
	for ; x < min(n, marked) && x < k+maxTerms && term > 1e-12*sum; x++ {
		ratio = (marked - x) * (n - x) / ((x + 1) * (all - marked - n + x + 1))
		term *= ratio
		sum += term
	}
	if x == k+maxTerms && ratio < 1 { // the rest falls faster than a geometric series
		sum += term * ratio / (1 - ratio)
	}
	return max(0, -first-math.Log(sum)), up
}

// MostSurprise is the greatest -ln p that any test by ranks can have of n values
// against n0 from before: one over the number of ways to choose the n among all.
// One value alone is at most the greatest of n0 + 1, however far out it lies.
func MostSurprise(n0, n float64) float64 { return lnChoose(n0+n, n) }

func lnChoose(n, k float64) float64 {
	a, _ := math.Lgamma(n + 1)
	b, _ := math.Lgamma(k + 1)
	c, _ := math.Lgamma(n - k + 1)
	return a - b - c
}
