// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package stats holds the small, bounded statistics that the models are made
// of: forgetting histograms of residuals on both sides of zero, or of magnitudes,
// with a generalised Pareto tail (Hosking and Wallis, Technometrics 29, 1987); the
// same for numbers of any size, whose unit is found (Signed, Positive); and a
// Rank, which turns a combination of surprises back into a calibrated one.
//
// Everything here is a plain value of fixed size: no pointers, no clock, no
// allocation. The zero value of each type is ready to use unless its comment
// says otherwise. Nothing is safe for concurrent use.
package stats
