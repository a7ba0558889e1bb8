// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package stats holds the small, bounded statistics that the models are made of.
//
//   - Tails sketches how far a quantity strays from zero in 64 bytes: two quantiles a
//     side by stochastic approximation (Robbins and Monro 1951) and a generalized
//     Pareto tail (Hosking and Wallis, Technometrics 29, 1987). It returns -ln p and quantiles.
//   - CountSurprise is the exact tail of a Poisson or negative binomial count,
//     BinomialSurprise that of a binomial one.
//   - Magnitudes and Positive are forgetting histograms of numbers that are never
//     negative, in a given unit or in one that follows them, with a Pareto tail.
//   - Excess compares two counts with each other.
//
// Everything here is a plain value of fixed size: no pointers, no clock, no
// allocation. The zero value of each type is ready to use unless its comment
// states otherwise. Nothing is safe for concurrent use.
package stats
