// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package window keeps the latest values of one series and describes them as a
// vector of six features: last, mean, least, greatest, twice the standard
// deviation, and the mean of the later half less that of the earlier half.
//
// Values are held as float32, relative to a Unit: an origin and a range of the
// series. Features are fixed-point numbers with 1024 steps a range, clipped at 32
// ranges, so that a factor of a power of two changes no feature.
//
// A Ring takes two bytes and the slice that it is used with. Push costs O(1);
// Mean, Rescale and Features cost O(length).
package window
