// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package level is the robust level and scale model of one series: it finds
// points that lie too far from the level, and levels that have moved, and learns
// a level that stays moved.
//
// Level. Three exponential averages, gains .02 to .8, are moved by clipped steps
// (Huber's ψ: at most three scales times the gain). The slowest of those with
// nearly the least recent squared error predicts: a slow one in white noise, a
// fast one in a random walk. (The absolute error would not do: on rare counts it
// favours whatever says 0.)
//
// Features. The residual over the scale, and its running mean, the drift
// (Roberts' EWMA chart), in which a shift too small for one point adds up.
//
// Calibration. Each feature is ranked on its own side of zero, in a forgetting
// histogram with a generalised Pareto tail (package stats): p₁, p₂. The smaller of
// two p's is no p, so max(-ln p₁, -ln p₂) is ranked again among its own past:
// that rank is p.
//
// Learning. A point is judged before it is learned. One strange point (p < 1e-4)
// counts in full but is clipped, so that it moves no level; those that follow it
// count less and less, so that one episode does not hide the next. After 22
// strange points in a row, or a longer run in which more than half are strange,
// what was strange is the new normal: the levels start again from there.
//
// Limits. No season, no trend beyond what a fast level follows, no notion of
// time: points are taken as evenly spaced. A count that was 0 for long is news the
// first few times it is 1. A model takes about 1.4 KB.
package level
