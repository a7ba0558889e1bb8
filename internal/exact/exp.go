// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package exact

import "math"

// powers is the number of entries in the table of powers of 2.
const powers = 128

// Beyond these limits, e^x is infinite or 0, with room for half a step.
const (
	mostExponent  = 710
	leastExponent = -746
)

// Exp returns e^x.
func Exp(x float64) float64 {
	switch {
	case math.Abs(x) <= 708:
		n, e := expStep(x, 0)
		scale := power(n)
		return scale + float64(scale*e)
	case x != x:
		return x
	}
	return expWide(x, 0)
}

// Exp2 returns 2^x. It is exact for integers.
func Exp2(x float64) float64 {
	const shift = 0x1.8p52 / powers // rounds x to a multiple of 1/powers
	switch {
	case x != x:
		return x
	case x >= 1024:
		return math.Inf(1)
	case x < -1076:
		return 0
	}
	z := x + shift
	n := int64(math.Float64bits(z) - math.Float64bits(shift))
	e := expTerms(n, float64((x-(z-shift))*math.Ln2))
	if -1022 <= x && x < 1023 {
		scale := power(n)
		return scale + float64(scale*e)
	}
	return expScaled(n, e)
}

// Expm1 returns e^x - 1, without the error of the difference.
func Expm1(x float64) float64 {
	const (
		direct = 1.5 / powers * math.Ln2
		enough = 38 // from here, 1 or e^x is below half a unit of the result
	)
	switch {
	case math.Abs(x) < 0x1p-54 || x != x:
		return x
	case math.Abs(x) < direct:
		r := 1.0/720 + float64(x*(1.0/5040))
		r = 1.0/120 + float64(x*r)
		r = 1.0/24 + float64(x*r)
		r = 1.0/6 + float64(x*r)
		r = 1.0/2 + float64(x*r)
		return x + float64(float64(x*x)*r)
	case x < -enough:
		return -1
	case x > enough:
		return Exp(x) - 1
	}
	n, e := expStep(x, 0)
	scale := power(n)
	rest := scale - 1
	lost := scale - (rest + 1)
	return rest + (lost + float64(scale*e))
}

// expStep splits e^(hi+lo) into 2^(n/powers) · (1 + e), for numbers of at most mostExponent. A table of powers of 2
// leaves so little for the polynomial that Taylor's is enough (P. T. P. Tang, "Table-driven implementation of the
// exponential function in IEEE floating-point arithmetic", 1989).
func expStep(hi, lo float64) (n int64, e float64) {
	const shift = 0x1.8p52 // rounds to an integer, and leaves it in the low bits
	z := float64(hi*(powers/math.Ln2)) + shift
	steps := z - shift
	r := hi - float64(steps*(ln2Hi/powers)) - float64(steps*(ln2Lo/powers)) + lo
	n = int64(math.Float64bits(z) - math.Float64bits(shift))
	return n, expTerms(n, r)
}

// expTerms returns e^r - 1, plus the relative error of the table's entry for n, for |r| of at most log 2 / 256.
func expTerms(n int64, r float64) float64 {
	p := 1.0/24 + float64(r*(1.0/120))
	p = 1.0/6 + float64(r*p)
	p = 1.0/2 + float64(r*p)
	return r + (powerTail[n&(powers-1)] + float64(float64(r*r)*p))
}

// power returns 2^(n/powers), which must be a normal number.
func power(n int64) float64 {
	return math.Float64frombits(powerBits[n&(powers-1)] + uint64(n>>7)<<52)
}

// expScaled returns 2^(n/powers) · (1 + e), which may be too large or too small for a normal number.
func expScaled(n int64, e float64) float64 {
	scale := power(n & (powers - 1))
	return math.Ldexp(scale+float64(scale*e), int(n>>7))
}

// expWide returns e^(hi+lo) for all numbers but NaN.
func expWide(hi, lo float64) float64 {
	switch {
	case hi > mostExponent:
		return math.Inf(1)
	case hi < leastExponent:
		return 0
	}
	return expScaled(expStep(hi, lo))
}
