// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package exact

import (
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// between returns n pseudo-random numbers, evenly distributed.
func between(low, high float64, n int) []float64 {
	r := rand.New(rand.NewPCG(7, 25))
	xs := make([]float64, n)
	for i := range xs {
		xs[i] = low + r.Float64()*(high-low)
	}
	return xs
}

// positive returns n pseudo-random positive numbers with an even distribution of the exponent from low to high, of 2.
func positive(low, high float64, n int) []float64 {
	xs := between(low, high, n)
	for i, x := range xs {
		xs[i] = math.Exp2(x)
	}
	return xs
}

// negated returns the numbers and their negatives.
func negated(xs []float64) []float64 {
	for _, x := range xs {
		xs = append(xs, -x)
	}
	return xs
}

func TestAccuracy(t *testing.T) {
	const n = 3000
	exp2 := func(x *big.Float) *big.Float { return bigExp(x.Mul(x, bigLog(number(2)))) }
	log2 := func(x *big.Float) *big.Float { return zero().Quo(bigLog(x), bigLog(number(2))) }
	expm1 := func(x *big.Float) *big.Float { return zero().Sub(bigExp(x), number(1)) }
	log1p := func(x *big.Float) *big.Float { return bigLog(zero().Add(x, number(1))) }
	for _, c := range []struct {
		name   string
		f      func(float64) float64
		want   func(*big.Float) *big.Float
		inputs []float64
		most   float64
	}{
		{"Exp", Exp, bigExp, between(-708, 709.78, n), .54},
		{"Exp near 0", Exp, bigExp, negated(positive(-30, 0, n)), .52},
		{"Exp below the normal numbers", Exp, bigExp, between(-745, -708, n/4), 1.01},
		{"Exp2", Exp2, exp2, between(-1022, 1024, n), .52},
		{"Exp2 near 0", Exp2, exp2, negated(positive(-30, 0, n)), .52},
		{"Exp2 below the normal numbers", Exp2, exp2, between(-1074, -1022, n/4), 1.01},
		{"Expm1", Expm1, expm1, between(-40, 709, n), .9},
		{"Expm1 near 0", Expm1, expm1, negated(positive(-30, 0, 2*n)), 1},
		{"Log", Log, bigLog, positive(-1074, 1024, n), .9},
		{"Log near 1", Log, bigLog, between(.5, 2, 2*n), .9},
		{"Log1p", Log1p, log1p, positive(-40, 1000, n), .9},
		{"Log1p near 0", Log1p, log1p, between(-.99, 3, 2*n), 1},
		{"Log1p beside 0", Log1p, log1p, negated(positive(-60, -2, n)), .9},
		{"Log2", Log2, log2, positive(-1074, 1024, n), 1},
		{"Log2 near 1", Log2, log2, between(.5, 2, 2*n), 1.7},
		{"Lgamma", Lgamma, bigLgamma, positive(-60, 60, n/20), 2},
		{"Lgamma from 0 to .9", Lgamma, bigLgamma, between(0, .9, n/20), 2},
		{"Lgamma beside 1", Lgamma, bigLgamma, between(.9, 1.2, n/20), 2},
		{"Lgamma from 1.2 to 2", Lgamma, bigLgamma, between(1.2, 2, n/20), 2},
		{"Lgamma from 2 to 8", Lgamma, bigLgamma, between(2, 8, n/20), 2},
		{"Lgamma from 8", Lgamma, bigLgamma, between(8, 100, n/20), 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.NotEmpty(t, c.inputs)
			worst, at := 0.0, 0.0
			for _, x := range c.inputs {
				if d := ulps(c.f(x), c.want(number(x))); d > worst {
					worst, at = d, x
				}
			}
			t.Logf("%.3f units at %v", worst, at)
			assert.LessOrEqual(t, worst, c.most, "at %v", at)
		})
	}
}

func TestAccuracyOfPow(t *testing.T) {
	worst := 0.0
	ys := between(-1, 1, 3000)
	for _, xs := range [][]float64{positive(-1022, 1023, 3000), between(.5, 2, 3000), between(.999, 1.001, 3000)} {
		for i, x := range xs {
			y := ys[i] * 700 / math.Abs(math.Log(x))
			want := bigExp(zero().Mul(number(y), bigLog(number(x))))
			d := ulps(Pow(x, y), want)
			require.LessOrEqual(t, d, .6, "%v to the power of %v", x, y)
			worst = max(worst, d)
		}
	}
	t.Logf("%.3f units", worst)
}

func TestPowIsExact(t *testing.T) {
	want := 1.0
	for n := range 23 { // 10^22 is the largest exact power
		assert.Equal(t, want, Pow(10, float64(n)))
		assert.Equal(t, math.Pow10(-n), Pow(10, float64(-n)))
		want *= 10
	}
	assert.Equal(t, 1.5*1.5*1.5, Pow(1.5, 3))
	assert.Equal(t, 12.0, Pow(144, .5))
}

func TestWholePowersOf2(t *testing.T) {
	for n := -1074; n < 1024; n++ {
		x := math.Ldexp(1, n)
		require.Equal(t, x, Exp2(float64(n)))
		require.Equal(t, float64(n), Log2(x))
		require.Equal(t, x, Pow(2, float64(n)))
	}
}

// function is a function of this package and its counterpart in package math.
type function struct {
	name        string
	exact, math func(float64) float64
}

var unary = []function{
	{"Exp", Exp, math.Exp},
	{"Exp2", Exp2, math.Exp2},
	{"Expm1", Expm1, math.Expm1},
	{"Log", Log, math.Log},
	{"Log1p", Log1p, math.Log1p},
	{"Log2", Log2, math.Log2},
}

// Special values are those of package math.
func TestSpecialValues(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	odd := []float64{
		0, math.Copysign(0, -1), 1, -1, 2, .5, inf, -inf, nan, math.MaxFloat64, -math.MaxFloat64,
		0x1p-1022, -2.5, 1e300, -1e300,
	}
	for _, c := range unary {
		for _, x := range odd {
			assertSame(t, c.math(x), c.exact(x), "%s(%v)", c.name, x)
		}
	}
	for _, x := range odd {
		for _, y := range odd {
			if x >= 0 && !math.Signbit(x) { // Pow takes no negative base
				assertSame(t, math.Pow(x, y), Pow(x, y), "Pow(%v, %v)", x, y)
			}
		}
		if x >= 0 {
			want, _ := math.Lgamma(x)
			assertSame(t, want, Lgamma(x), "Lgamma(%v)", x)
		}
	}
	assert.True(t, math.IsNaN(Pow(-1, 2)))
	assert.True(t, math.IsNaN(Lgamma(-.5)))
	assert.True(t, math.IsNaN(Lgamma(nan)))
	assert.True(t, math.IsInf(Exp(709.7827128933841), 1))
	assert.False(t, math.IsInf(Exp(709.782712893384), 1))
	assert.Zero(t, Exp(-745.2))
	assert.NotZero(t, Exp(-745.1))
}

// assertSame compares the bits, with a unit of the last place for finite numbers, and one NaN for all.
func assertSame(t *testing.T, want, got float64, format string, args ...any) {
	t.Helper()
	if math.IsNaN(want) && math.IsNaN(got) {
		return
	}
	if want != 0 && !math.IsInf(want, 0) && math.Abs(got-want) <= 4e-16*math.Abs(want) {
		return
	}
	assert.Equal(t, math.Float64bits(want), math.Float64bits(got), append([]any{format + ": %v, not %v"}, append(args, got, want)...)...)
}

func TestPowers(t *testing.T) {
	for i := range powers {
		want := bigExp(zero().Mul(number(float64(i)/powers), bigLog(number(2))))
		near, _ := want.Float64()
		tail, _ := zero().Quo(zero().Sub(want, number(near)), want).Float64()
		assert.Equal(t, math.Float64bits(near), powerBits[i])
		assert.Equal(t, tail, powerTail[i])
	}
}

func BenchmarkFunctions(b *testing.B) {
	lgamma := func(x float64) float64 { y, _ := math.Lgamma(x); return y }
	for _, c := range append(slices.Clone(unary),
		function{"Lgamma", Lgamma, lgamma},
		function{"Pow", func(x float64) float64 { return Pow(x, 1.7) }, func(x float64) float64 { return math.Pow(x, 1.7) }},
	) {
		xs := between(.01, 30, 1024)
		for name, f := range map[string]func(float64) float64{"exact": c.exact, "math": c.math} {
			b.Run(c.name+"/"+name, func(b *testing.B) {
				sum, i := 0.0, 0
				for b.Loop() {
					sum += f(xs[i&1023])
					i++
				}
				sink = sum
			})
		}
	}
}

var sink float64
