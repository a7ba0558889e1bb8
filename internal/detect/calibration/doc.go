// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package calibration compares the surprises of models with their observed frequencies over many similar series. A
// Count counts surprises, a Table corrects them. A surprise of p = 1e-7 is far beyond the history of one series, but
// not beyond that of a fleet.
//
// Series of a fleet have shocks in common, so their surprises occur in Bursts. The counts then need correspondingly
// more points for the same certainty.
package calibration
