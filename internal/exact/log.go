// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package exact

import "math"

// The logarithm of 2 as a sum. The last 20 bits of ln2Hi are zero, so that its product with an exponent is exact.
const (
	ln2Hi = 0x1.62e42feep-1
	ln2Lo = 0x1.a39ef35793c76p-33
)

// logCoefficients are those of a polynomial R in s² with log((1+s)/(1-s)) = 2s + s·R, from FreeBSD's msun (e_log.c).
// Its error is below 2^-58.45 for |s| < .1716.
var logCoefficients = [...]float64{
	0x1.5555555555593p-1, 0x1.999999997fa04p-2, 0x1.2492494229359p-2, 0x1.c71c51d8e78afp-3,
	0x1.7466496cb03dep-3, 0x1.39a09d078c69fp-3, 0x1.2f112df3e5244p-3,
}

// Log returns the natural logarithm of x: NaN for x < 0, and -Inf for 0.
func Log(x float64) float64 {
	if x <= 0 || !(x <= math.MaxFloat64) {
		return logLimit(x)
	}
	k, m := octave(x)
	return logSum(k, m-1, 0)
}

// Log1p returns the natural logarithm of 1 + x, without the error of the sum: NaN for x < -1, and -Inf for -1.
func Log1p(x float64) float64 {
	switch {
	case x <= -1 || !(x <= math.MaxFloat64):
		return logLimit(1 + x)
	case math.Abs(x) < 0x1p-54:
		return x
	case math.Sqrt2/2-1 < x && x < math.Sqrt2-1:
		return logSum(0, x, 0)
	}
	u := 1 + x
	lost := x - (u - 1)
	if x > 1 {
		lost = 1 - (u - x)
	}
	k, m := octave(u)
	return logSum(k, m-1, lost/u)
}

// Log2 returns the binary logarithm of x: NaN for x < 0, and -Inf for 0. It is exact for powers of 2.
func Log2(x float64) float64 {
	if x <= 0 || !(x <= math.MaxFloat64) {
		return logLimit(x)
	}
	k, m := octave(x)
	return k + float64(logSum(0, m-1, 0)*(1/math.Ln2))
}

// logLimit returns the logarithm of a number that is not positive and finite.
func logLimit(x float64) float64 {
	switch {
	case x == 0:
		return math.Inf(-1)
	case x > 0:
		return x
	}
	return math.NaN()
}

// octave splits a positive number into 2^k · m with m between √½ and √2.
func octave(x float64) (k, m float64) {
	const leastNormal, root = 0x1p-1022, 0x3fe6a09e667f3bcd // bits of √½
	if x < leastNormal {
		x = float64(x * 0x1p54)
		k = -54
	}
	bits := math.Float64bits(x)
	e := int64(bits-root) >> 52
	return k + float64(e), math.Float64frombits(bits - uint64(e)<<52)
}

// logSum returns k·log 2 + log(1+f) + c for f between √½-1 and √2-1, and a small c. The method is that of FreeBSD's
// msun (e_log.c, s_log1p.c): with s = f/(2+f), log(1+f) = f - f²/2 + s·(f²/2 + R(s²)).
func logSum(k, f, c float64) float64 {
	l := &logCoefficients
	s := f / (2 + f)
	z := float64(s * s)
	w := float64(z * z)
	even := l[3] + float64(w*l[5])
	even = l[1] + float64(w*even)
	odd := l[4] + float64(w*l[6])
	odd = l[2] + float64(w*odd)
	odd = l[0] + float64(w*odd)
	r := float64(w*even) + float64(z*odd)
	half := float64(0.5 * f * f)
	return float64(k*ln2Hi) - ((half - (float64(s*(half+r)) + (float64(k*ln2Lo) + c))) - f)
}
