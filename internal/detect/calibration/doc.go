// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package calibration holds what models say against what happens: over many
// series alike, how often is a surprise as great as claimed? A Count counts, a
// Table corrects. A surprise of p = 1e-7 lies far beyond the history of one
// series, but not beyond that of a fleet.
//
// Series of a fleet have shocks in common: what they say comes in Bursts, and then
// it takes as many more points to know as much.
package calibration
