// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package shop

import (
	"math"
	"math/rand/v2"
)

// drift is autoregressive noise: xₜ = φ·xₜ₋₁ + √(1−φ²)·s·ε with ε ~ N(0, 1). Its standard deviation is s for every φ.
type drift struct {
	phi, sd, x float64
}

// next advances the drift by one interval and returns it.
func (d *drift) next(rng *rand.Rand) float64 {
	d.x = d.phi*d.x + math.Sqrt(1-d.phi*d.phi)*d.sd*rng.NormFloat64()
	return d.x
}

// poisson draws from a Poisson distribution with any mean. It multiplies uniform numbers (Knuth) in steps of at most
// 64, because exp(−mean) underflows for a large mean.
func poisson(rng *rand.Rand, mean float64) int {
	n := 0
	for mean > 0 {
		step := math.Min(mean, 64)
		mean -= step
		floor := math.Exp(-step)
		for product := rng.Float64(); product > floor; product *= rng.Float64() {
			n++
		}
	}
	return n
}

// lognormal draws a time with the median 1 whose logarithm has the standard deviation s.
func lognormal(rng *rand.Rand, s float64) float64 {
	return math.Exp(s * rng.NormFloat64())
}
