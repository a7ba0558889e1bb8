// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package opening decides which strange point is news: one that is stranger than
// the strangest of the hold-off before it, 90 points at the series' own cadence. Of
// what is counted in windows, those that were not recorded count, too.
//
// A score above 0.5 that exceeds the peak that stands becomes the peak, and is the
// opening score; any other point has the opening score 0. A peak stands for the
// hold-off, whatever follows, so that an episode that goes on is told again. A rule
// takes 12 bytes.
package opening
