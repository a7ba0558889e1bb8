// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math"
	"math/rand/v2"
)

// A family is a kind of noise without a fault.
type family struct {
	name  string
	sigma float64                           // its standard deviation
	start func(r *rand.Rand) func() float64 // a generator of one series
}

const jitter = 1e-3 // half the width of the constant's jitter, on a level of 1,000

var families = []family{
	{"normal", 1, func(r *rand.Rand) func() float64 { return func() float64 { return 50 + r.NormFloat64() } }},
	{"t3", math.Sqrt(3), func(r *rand.Rand) func() float64 { return func() float64 { return 50 + student3(r) } }},
	{"AR(1) .9", 1 / math.Sqrt(1-0.9*0.9), autoregressive},
	{"Poisson 2", math.Sqrt(2), func(r *rand.Rand) func() float64 { return func() float64 { return poisson(r, 2) } }},
	{"constant, jitter", jitter / math.Sqrt(3), func(r *rand.Rand) func() float64 {
		return func() float64 { return 1000 + jitter*(2*r.Float64()-1) }
	}},
}

// student3 draws from Student's t with 3 degrees of freedom: Z / √(χ²₃/3).
func student3(r *rand.Rand) float64 {
	a, b, c := r.NormFloat64(), r.NormFloat64(), r.NormFloat64()
	return r.NormFloat64() / math.Sqrt((a*a+b*b+c*c)/3)
}

// poisson draws by multiplying uniforms (Knuth), for small means.
func poisson(r *rand.Rand, mean float64) float64 {
	limit, n := math.Exp(-mean), 0.0
	for p := r.Float64(); p > limit; p *= r.Float64() {
		n++
	}
	return n
}

// autoregressive generates x' = .9 x + ε from its stationary distribution.
func autoregressive(r *rand.Rand) func() float64 {
	x := r.NormFloat64() / math.Sqrt(1-0.9*0.9)
	return func() float64 {
		x = 0.9*x + r.NormFloat64()
		return 50 + x
	}
}
