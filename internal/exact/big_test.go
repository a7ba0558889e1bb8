// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package exact

import (
	"math"
	"math/big"
)

// precision in bits of the reference values.
const precision = 240

func number(x float64) *big.Float { return new(big.Float).SetPrec(precision).SetFloat64(x) }

func zero() *big.Float { return new(big.Float).SetPrec(precision) }

// bigExp returns e^x by Taylor's series, after 40 halvings of x.
func bigExp(x *big.Float) *big.Float {
	const halvings = 40
	r := zero().SetMantExp(x, -halvings)
	sum, term := number(1), number(1)
	for n := 1; n < 12; n++ {
		term.Mul(term, r).Quo(term, number(float64(n)))
		sum.Add(sum, term)
	}
	for range halvings {
		sum.Mul(sum, sum)
	}
	return sum
}

// bigLog returns the natural logarithm of a positive x: three steps of Halley's method for e^y = x.
func bigLog(x *big.Float) *big.Float {
	mant := zero()
	exp := x.MantExp(mant)
	f, _ := mant.Float64()
	y := number(math.Log(f) + float64(exp)*math.Ln2)
	for range 3 {
		e := bigExp(y)
		step := zero().Quo(zero().Sub(x, e), zero().Add(x, e))
		y.Add(y, step.Mul(step, number(2)))
	}
	return y
}

var (
	bernoullis = bernoulli(30)
	tau, _     = zero().SetString("6.283185307179586476925286766559005768394338798750211641949889184615632812572417997256069650684234")
	halfLogTau = zero().Quo(bigLog(tau), number(2))
)

// bigLgamma returns log Γ(x) for a positive x, by Stirling's series for x + shift.
func bigLgamma(x *big.Float) *big.Float {
	const shift = 60
	product, far := number(1), zero().Set(x)
	for range shift {
		product.Mul(product, far)
		far.Add(far, number(1))
	}
	sum := zero().Mul(zero().Sub(far, number(0.5)), bigLog(far))
	sum.Sub(sum, far)
	sum.Add(sum, halfLogTau)
	power := zero().Set(far)
	square := zero().Mul(far, far)
	for k, b := range bernoullis {
		n := float64(2 * (k + 1))
		term := zero().SetRat(b)
		term.Quo(term, number(n*(n-1))).Quo(term, power)
		sum.Add(sum, term)
		power.Mul(power, square)
	}
	return sum.Sub(sum, bigLog(product))
}

// bernoulli returns the Bernoulli numbers B₂, B₄, … B₂ₙ.
func bernoulli(n int) (even []*big.Rat) {
	all := []*big.Rat{big.NewRat(1, 1)}
	for m := int64(1); m <= int64(2*n); m++ {
		sum := new(big.Rat)
		for k := range m {
			c := new(big.Rat).SetInt(new(big.Int).Binomial(m+1, k))
			sum.Add(sum, c.Mul(c, all[k]))
		}
		all = append(all, sum.Mul(sum, big.NewRat(-1, m+1)))
		if m%2 == 0 {
			even = append(even, all[m])
		}
	}
	return even
}

// ulps returns the distance of got from want in units in the last place of want.
func ulps(got float64, want *big.Float) float64 {
	near, _ := want.Float64()
	if math.IsInf(near, 0) || near == 0 {
		if got == near {
			return 0
		}
		return math.Inf(1)
	}
	near = math.Abs(near)
	unit := math.Nextafter(near, math.Inf(1)) - near
	d, _ := zero().Quo(zero().Sub(number(got), want), number(unit)).Float64()
	return math.Abs(d)
}
