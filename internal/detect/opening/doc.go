// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package opening computes the opening score: the score of a point that exceeds
// the peak of the cooldown before it, 90 points at the series' own cadence, and
// 0 otherwise.
//
// A score above 0.5 that exceeds the standing peak becomes the peak and is the
// opening score. A peak stands for the cooldown, whatever follows, so that an
// episode that goes on opens again. While the model holds the series away from its
// level, the peak stays: one lasting change opens once, and again only where it
// grows. Points that were not recorded count toward the cooldown (Pass). A rule
// takes 12 bytes.
package opening
