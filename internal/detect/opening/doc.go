// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package opening computes the opening score: the score of a point that exceeds
// the peak of the cooldown before it, 90 points at the series' own cadence, and
// 0 otherwise.
//
// A score above 0.5 that exceeds the present peak becomes the peak and is the
// opening score. A peak lasts for the cooldown, independent of later scores, so that a
// lasting episode opens again. While the series is held, away from its level, the peak
// remains: one lasting change opens once, and again only if it grows. Points that were
// not recorded count toward the cooldown (Pass). A Rule takes 12 bytes.
package opening
