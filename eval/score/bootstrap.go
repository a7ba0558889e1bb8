// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package score

import (
	"math"
	"math/rand/v2"
	"slices"
)

const (
	// resamples is the number of bootstrap samples.
	resamples = 400
	// seed makes the standard error reproducible.
	seed = 20261128
)

// Resample returns a statistic of samples of n units drawn with replacement, in order. The statistic gets the indexes
// of the drawn units, which depend only on n. Two statistics of the same units therefore use the same samples.
func Resample(n int, statistic func(units []int) float64) []float64 {
	random := rand.New(rand.NewPCG(seed, uint64(n)))
	units, drawn := make([]int, n), make([]float64, resamples)
	for k := range drawn {
		for i := range units {
			units[i] = random.IntN(n)
		}
		drawn[k] = statistic(units)
	}
	return drawn
}

// Spread returns the bootstrap standard error of a statistic: the standard
// deviation over its samples. A sample for which it is NaN does not count.
func Spread(samples []float64) float64 {
	return deviation(slices.DeleteFunc(slices.Clone(samples), math.IsNaN))
}

// SpreadOfDifference returns the bootstrap standard error of the difference of two
// statistics of the same units.
func SpreadOfDifference(a, b []float64) float64 {
	differences := make([]float64, len(a))
	for i := range a {
		differences[i] = a[i] - b[i]
	}
	return Spread(differences)
}

// deviation returns the standard deviation with n-1 in the denominator, or 0 for fewer than two values.
func deviation(x []float64) float64 {
	if len(x) < 2 {
		return 0
	}
	m, sum := Mean(x), 0.0
	for _, v := range x {
		sum += (v - m) * (v - m)
	}
	return math.Sqrt(sum / float64(len(x)-1))
}

// Mean returns the mean, or NaN without values.
func Mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

// Median returns the median, or NaN without values.
func Median(x []float64) float64 {
	if len(x) == 0 {
		return math.NaN()
	}
	x = slices.Sorted(slices.Values(x))
	return (x[(len(x)-1)/2] + x[len(x)/2]) / 2
}
