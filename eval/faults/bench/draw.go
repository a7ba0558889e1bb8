// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"math"
	"math/rand/v2"
)

// draw draws a number that is uniform in the logarithm of the range.
func (p span) draw(r *rand.Rand) float64 {
	return p[0] * math.Exp(r.Float64()*math.Log(p[1]/p[0]))
}

func choose[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

// innovation draws with mean 0 and variance 1 from Student's t with ν degrees of freedom, or from the normal
// distribution if ν is 0:
//
//	t_ν = Z / √(χ²_ν/ν), whose variance is ν/(ν-2)
func innovation(r *rand.Rand, freedom float64) float64 {
	z := r.NormFloat64()
	if freedom == 0 {
		return z
	}
	sum := 0.0
	for range int(freedom) {
		x := r.NormFloat64()
		sum += x * x
	}
	return z * math.Sqrt((freedom-2)/sum)
}

// poisson returns the smallest n with P(N ≤ n) ≥ u. It increases with the mean, so a fault that raises the mean never
// lowers a count. It is suitable for means up to several hundred.
func poisson(u, mean float64) float64 {
	p := math.Exp(-mean)
	n, below := 0.0, p
	for below < u && p > 0 {
		n++
		p *= mean / n
		below += p
	}
	return n
}

// binomial returns the smallest n with P(N ≤ n) ≥ u for n tries with probability p.
func binomial(u, n, p float64) float64 {
	if p <= 0 || n == 0 {
		return 0
	}
	if p >= 1 {
		return n
	}
	q := math.Exp(n * math.Log1p(-p))
	k, below := 0.0, q
	for below < u && k < n && q > 0 {
		q *= (n - k) / (k + 1) * p / (1 - p)
		k++
		below += q
	}
	return k
}
