// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package stats holds the small, bounded statistics of the models.
//
//   - Tails sketches the distance of a quantity from zero in 64 bytes: two quantiles per
//     side by stochastic approximation (Robbins and Monro 1951), and a generalized Pareto
//     tail (Hosking and Wallis, Technometrics 29, 1987). It returns -ln p and quantiles.
//   - CountSurprise is the exact tail of a Poisson or negative binomial count,
//     BinomialSurprise that of a binomial count.
//   - Magnitudes and Positive are forgetting histograms of nonnegative numbers, in a
//     given or an adaptive unit, with a Pareto tail.
//   - Excess compares two counts.
//
// All types are plain values of fixed size, without pointers, clock, and allocation. The zero
// value of each type is ready to use unless its comment states otherwise. They are not safe for
// concurrent use.
package stats
