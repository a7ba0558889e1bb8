// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package sample breaks the rules for floating-point numbers. A comment at the end of a line is what the check
// must report for it.
package sample

import "math"

type nats float64

const double = 2.0

func sums(a, b, c float64, n nats, i int, f float32) []float64 {
	a = b*c + a // want the product may be fused with a sum: write float64(b * c)
	a = float64(b*c) + a
	a += b * c    // want the product may be fused with a sum: write float64(b * c)
	a -= -(b * c) // want the product may be fused with a sum: write float64(b * c)
	a *= b        // want x *= y may be fused with a later sum: write x = float64(x * y)
	a /= b * c
	product := a * b    // want the product may be fused with a sum: write float64(a * b)
	c = product + b*c*a // want the product may be fused with a sum: write float64(b * c * a)
	c += a * b / c
	n = n * n // want the product may be fused with a sum: write float64(n * n)
	n = nats(n*n) + 1
	f += f * f // want the product may be fused with a sum: write float64(f * f)
	i += i * i
	if a*b > c {
		a = max(a, b*c) // want the product may be fused with a sum: write float64(b * c)
	}
	return []float64{a, double*double + b, float64(i*i) + c, product, float64(n), float64(f)}
}

func inlined(a, b float64) float64 {
	return a * b // want the product may be fused with a sum: write float64(a * b)
}

func functions(x float64) float64 {
	x = math.Sqrt(x) + math.Log(x) // want math.Log differs between processors: use internal/exact
	power := math.Pow              // want math.Pow differs between processors: use internal/exact
	return math.Floor(power(x, math.Pi))
}
