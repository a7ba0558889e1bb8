// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math"
	"math/rand/v2"
)

// A family is a kind of series without a fault. Each of its series converts a standard normal innovation z into a
// value at a time in seconds since the Unix epoch. For any dependence between the z of two series (a Gaussian
// copula), each series alone has exactly the family's distribution.
type family struct {
	name, metric string
	start        func(r *rand.Rand) source
}

type source func(second int64, z float64) float64

const (
	day  = 24 * 60 * 60 // seconds
	week = 7 * day
)

var families = []family{
	{"normal", "noise.normal", func(*rand.Rand) source {
		return func(_ int64, z float64) float64 { return 50 + z }
	}},
	{"AR(1) .9", "noise.ar", func(r *rand.Rand) source { return autoregressive(0.9, r) }},
	{"t3", "noise.t3", func(*rand.Rand) source {
		return func(_ int64, z float64) float64 { return 50 + student3.at(z) }
	}},
	{"log-normal", "noise.lognormal", func(*rand.Rand) source {
		return func(_ int64, z float64) float64 { return 20 * math.Exp(z) }
	}},
	{"daily season", "season.daily", daily},
	{"weekly season", "season.weekly", weekly},
	{"Poisson 3", "count.frequent", counts(3)},
	{"Poisson .1", "count.rare", counts(0.1)},
}

// autoregressive returns x' = φ x + z from its stationary distribution.
func autoregressive(phi float64, r *rand.Rand) source {
	x := r.NormFloat64() / math.Sqrt(1-phi*phi)
	return func(_ int64, z float64) float64 {
		x = phi*x + z
		return 50 + x
	}
}

// daily returns a daily sine with a random amplitude and phase, and noise of 5.
func daily(r *rand.Rand) source {
	amplitude, phase := 20+30*r.Float64(), r.Float64()
	return func(second int64, z float64) float64 {
		return 100 + amplitude*math.Sin(2*math.Pi*(float64(second%day)/day+phase)) + 5*z
	}
}

// weekly returns daytime load on five days of a week and little load on the others, and noise of 5.
func weekly(r *rand.Rand) source {
	amplitude := 40 + 40*r.Float64()
	return func(second int64, z float64) float64 {
		share := 1.0
		if (second+3*day)%week >= 5*day { // the epoch was a Thursday; weeks begin on Mondays
			share = 0.3
		}
		return 100 + share*amplitude*max(0, math.Sin(2*math.Pi*(float64(second%day)/day-0.25))) + 5*z
	}
}

// counts returns Poisson noise. A count exceeds k if z exceeds the k-th limit: limits[k] = Φ⁻¹(P(X ≤ k)).
func counts(mean float64) func(*rand.Rand) source {
	const rarest = 1e-14 // beyond it √2·erfc⁻¹ has no precision left, and no z is drawn
	var limits []float64
	for k := 0; ; k++ {
		tail, term := 0.0, math.Exp(-mean)
		for i := 1; i <= k+60; i++ {
			term *= mean / float64(i)
			if i > k {
				tail += term
			}
		}
		if tail < rarest {
			break
		}
		limits = append(limits, math.Sqrt2*math.Erfcinv(2*tail))
	}
	return func(*rand.Rand) source {
		return func(_ int64, z float64) float64 {
			n := 0
			for n < len(limits) && z > limits[n] {
				n++
			}
			return float64(n)
		}
	}
}

// quantiles maps standard normal values from 0 to reach to another symmetric distribution.
type quantiles [quantileReach*quantileSteps + 2]float64

const (
	quantileReach = 9
	quantileSteps = 256 // interpolation error below 2e-4 of the value
)

func (q *quantiles) at(z float64) float64 {
	x := min(math.Abs(z), quantileReach) * quantileSteps
	i := int(x)
	return math.Copysign(q[i]+(x-float64(i))*(q[i+1]-q[i]), z)
}

// student3 is Student's t with 3 degrees of freedom, whose upper tail is
//
//	P(X > x) = (atan(1/y) − y/(1+y²)) / π,  y = x/√3
var student3 = func() *quantiles {
	var q quantiles
	for i := range q {
		tail := math.Erfc(float64(i)/quantileSteps/math.Sqrt2) / 2
		low, high := 0.0, 1e8
		for range 100 {
			y := (low + high) / 2
			if (math.Atan2(1, y)-y/(1+y*y))/math.Pi > tail {
				low = y
			} else {
				high = y
			}
		}
		q[i] = low * math.Sqrt(3)
	}
	return &q
}()
