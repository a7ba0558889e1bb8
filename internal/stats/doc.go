// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package stats holds the small, bounded statistics that the models are made
// of: a forgetting histogram of residuals on both sides of zero with a
// generalised Pareto tail, and a rank that turns a combination of surprises
// back into a calibrated one.
//
// Everything here is a plain value of fixed size: no pointers, no clock, no
// allocation. The zero value of each type is ready to use unless its comment
// says otherwise. Nothing is safe for concurrent use.
package stats
