// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package exact

import "math"

// The gamma function of positive numbers has its minimum at leastAt. The logarithm of the minimum is
// leastLog - leastTail.
const (
	leastAt   = 0x1.762d86356be3fp+0
	leastLog  = -0x1.f19b9bcc38a42p-4
	leastTail = -0x1.0c7caa48a971fp-58
)

// The coefficients are those of FreeBSD's msun (e_lgamma_r.c), in ascending order.
var (
	// log Γ(2-y) = y·A(y) - y/2, for y up to .27.
	below2 = [...]float64{
		0x1.3c467e37db0c8p-4, 0x1.4a34cc4a60fadp-2, 0x1.13e001a5562a7p-4, 0x1.51322ac92547bp-6,
		0x1.e404fb68fefe8p-8, 0x1.7add8ccb7926bp-9, 0x1.38a94116f3f5dp-10, 0x1.0b6c689b99cp-11,
		0x1.cf2eced10e54dp-13, 0x1.c5088987dfb07p-14, 0x1.a7074428cfa52p-16, 0x1.7858e90a45837p-15,
	}
	// log Γ(leastAt+y) = leastLog - leastTail + y²·T(y), for y between -.23 and .27.
	atLeast = [...]float64{
		0x1.ef72bc8ee38a2p-2, -0x1.2e4278dc6c509p-3, 0x1.08b4294d5419bp-4, -0x1.0c9a8df35b713p-5,
		0x1.266e7970af9ecp-6, -0x1.51f9fba91ec6ap-7, 0x1.8fce0e370e344p-8, -0x1.e2effb3e914d7p-9,
		0x1.282d32e15c915p-9, -0x1.6fe8ebf2d1af1p-10, 0x1.cdf0cef61a8e9p-11, -0x1.1a6109c73e0ecp-11,
		0x1.4af6d6c0ebbf7p-12, -0x1.47f24ecc38c38p-12, 0x1.5fd2d4e8c2d3f4p-12,
	}
	// log Γ(1+y) = y·U(y)/V(y) - y/2, for y between -.1 and .24.
	above1 = [...]float64{
		-0x1.3c467e37db0c8p-4, 0x1.4401e8b005dffp-1, 0x1.7475cd119bd6fp+0,
		0x1.f497644ea845p-1, 0x1.d4eaef6010924p-3, 0x1.b678bbf2bab09p-7,
	}
	above1Divisor = [...]float64{
		1, 0x1.3a5d7c2bd619cp+1, 0x1.10725a42b18f5p+1, 0x1.89dfbe45050afp-1, 0x1.aae55d6537c88p-4, 0x1.a5abb57d0cf61p-9,
	}
	// log Γ(2+y) = y·S(y)/R(y) + y/2, for y between 0 and 1.
	above2 = [...]float64{
		-0x1.3c467e37db0c8p-4, 0x1.b848b36e20878p-3, 0x1.4d98f4f139f59p-2, 0x1.2bb9cbee5f2f7p-3,
		0x1.b481c7e939961p-6, 0x1.e26b67368f239p-10, 0x1.0bfecdd17e945p-15,
	}
	above2Divisor = [...]float64{
		1, 0x1.645a762c4ab74p+0, 0x1.71a1893d3dcdcp-1, 0x1.601edccfbdf27p-3,
		0x1.317ea742ed475p-6, 0x1.97ddaca41a95bp-11, 0x1.ebaf7a5b3814p-18,
	}
	// Stirling's series: log Γ(x) = (x-½)·(log x - 1) + stirlingStart + W(1/x²)/x, for x from 8.
	stirling = [...]float64{
		0x1.555555555553bp-4, -0x1.6c16c16b02e5cp-9, 0x1.a019f98cf38b6p-11,
		-0x1.380cb8c0fe741p-11, 0x1.b67ba4cdad5d1p-11, -0x1.ab89d0b9e43e4p-10,
	}
)

const stirlingStart = 0x1.acfe390c97d69p-2

// Lgamma returns the natural logarithm of the gamma function of x: +Inf for 0, and NaN for x < 0.
func Lgamma(x float64) float64 {
	switch {
	case x != x || x < 0:
		return math.NaN()
	case x < 0x1p-70:
		return -Log(x)
	case x == 1:
		return 0
	case x <= 0.9:
		return lgammaFrom1(x) - Log(x)
	case x < 2:
		return lgammaFrom1(x - 1)
	case x < 8:
		return lgammaFrom2(x)
	case x < 0x1p58:
		z := 1 / x
		w := stirlingStart + float64(z*polynomial(float64(z*z), stirling[:]))
		return float64((x-0.5)*(Log(x)-1)) + w
	}
	return float64(x * (Log(x) - 1))
}

// lgammaFrom1 returns log Γ(1+y) for y between -.1 and 1.
func lgammaFrom1(y float64) float64 {
	const above, below = 0.27, 0.23
	switch {
	case y >= leastAt-1+above:
		y = 1 - y
		return float64(y*polynomial(y, below2[:])) - float64(0.5*y)
	case y >= leastAt-1-below:
		y -= leastAt - 1
		return leastLog + (float64(float64(y*y)*polynomial(y, atLeast[:])) - leastTail)
	}
	return float64(y*polynomial(y, above1[:]))/polynomial(y, above1Divisor[:]) - float64(0.5*y)
}

// lgammaFrom2 returns log Γ(x) for x between 2 and 8, by log Γ(1+s) = log s + log Γ(s).
func lgammaFrom2(x float64) float64 {
	whole := int(x)
	y := x - float64(whole)
	sum := float64(0.5*y) + float64(y*polynomial(y, above2[:]))/polynomial(y, above2Divisor[:])
	factors := 1.0
	for s := 2; s < whole; s++ {
		factors = float64(factors * (y + float64(s)))
	}
	return sum + Log(factors)
}

// polynomial returns the sum of c[i]·x^i.
func polynomial(x float64, c []float64) float64 {
	p := c[len(c)-1]
	for i := len(c) - 2; i >= 0; i-- {
		p = c[i] + float64(p*x)
	}
	return p
}
