// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package window keeps the latest 120 values of a series and describes the
// latest 8, 30 and 120 of them: last, mean, least, greatest, spread and slope.
// Sums run along, in O(1) per value, and are made anew every 120 values, so that
// rounding does not add up; least and greatest are looked for again, in O(window),
// when the one that was leaves.
//
// Values are kept relative to an origin and a range, so that neither their size
// nor their unit costs digits. Features are fixed-point numbers: a range is 1024,
// and 32 ranges are the most.
//
// Limits. A value of a million ranges leaves rounding errors of some hundredths of
// a range in the spread, until the sums are made anew. A window takes 600 bytes.
package window
