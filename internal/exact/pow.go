// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package exact

import "math"

// Pow returns x^y for x of at least 0, and NaN for x < 0. It computes exp(y·log x), with the logarithm and the product
// as sums of two numbers (T. J. Dekker, "A floating-point technique for extending the available precision", 1971).
func Pow(x, y float64) float64 {
	switch {
	case y == 0 || x == 1:
		return 1
	case x != x || y != y || x < 0:
		return math.NaN()
	case x == 0 || x > math.MaxFloat64:
		if (x == 0) == (y < 0) {
			return math.Inf(1)
		}
		return 0
	}
	hi, lo := logTwo(x)
	if whole := float64(y * hi); !(leastExponent <= whole && whole <= mostExponent) {
		return expWide(whole, 0)
	}
	p, rest := product(y, hi)
	return expWide(p, rest+float64(y*lo))
}

// oddReciprocals are 1/5, 1/7, … from the last to the first: the coefficients of z² and up in atanh(s)/s, with z = s².
var oddReciprocals = [...]float64{1. / 25, 1. / 23, 1. / 21, 1. / 19, 1. / 17, 1. / 15, 1. / 13, 1. / 11, 1. / 9, 1. / 7, 1. / 5}

// logTwo returns the natural logarithm of a positive number as a sum hi + lo, with a relative error below 2^-63. It is
// k·log 2 + 2·atanh(s) with s = (m-1)/(m+1), for x = 2^k · m. The terms to s³ have twice the precision.
func logTwo(x float64) (hi, lo float64) {
	const (
		third   = 0x1.5555555555555p-2
		thirdLo = 0x1.5555555555555p-56
	)
	k, m := octave(x)
	f := m - 1
	d := 2 + f
	dLo := f - (d - 2)
	s := f / d
	p, rest := product(s, d)
	sLo := (((f - p) - rest) - float64(s*dLo)) / d

	z, zLo := product(s, s)
	zLo += float64(2 * s * sLo)
	t := 0.0
	for _, c := range oddReciprocals {
		t = c + float64(z*t)
	}
	t = float64(z * t)
	u := third + t
	uLo := ((third - u) + t) + thirdLo

	v, vLo := product(z, u)
	vLo += float64(z*uLo) + float64(zLo*u)
	w, wLo := product(s, v)
	wLo += float64(s*vLo) + float64(sLo*v)

	a := s + w
	aLo := ((s - a) + w) + (sLo + wLo)
	whole := float64(k * ln2Hi)
	hi = whole + float64(2*a)
	return hi, ((whole - hi) + float64(2*a)) + (float64(2*aLo) + float64(k*ln2Lo))
}

// product returns a·b as a sum of two numbers.
func product(a, b float64) (p, rest float64) {
	aHi, bHi := upperHalf(a), upperHalf(b)
	aLo, bLo := a-aHi, b-bHi
	p = float64(a * b)
	return p, ((float64(aHi*bHi) - p) + float64(aHi*bLo) + float64(aLo*bHi)) + float64(aLo*bLo)
}

// upperHalf returns a number with the upper 26 bits of a.
func upperHalf(a float64) float64 {
	return math.Float64frombits(math.Float64bits(a) &^ (1<<27 - 1))
}
