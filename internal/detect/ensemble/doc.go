// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package ensemble is the model of one series: several simple views of it, each
// ranked among its own past, and their combination ranked again.
//
// Views. Each point gives
//
//   - for the windows of the latest 8, 30 and 120 points, how far they are from
//     all windows seen (packages window and boxes: fuzzy ART; Carpenter, Grossberg
//     and Rosen 1991);
//   - the value's distance from what is usual in its half hour, weekends apart, and
//     in its hour above a slow level (season.Means);
//   - the rolling mean of 20 points, and the value itself;
//   - the innovation: the distance from what a bank of levels and trends predicts,
//     with a robust daily course or without (packages level and season.Profile;
//     Holt 1957, Winters 1960), in units of its scale;
//   - the drift and the spread, running means of the clipped innovation and of its
//     size, in which a shift and a variance too small for one point add up (EWMA
//     charts; Roberts 1959);
//   - for how long the value has not moved (package flat).
//
// Ranking. Each view has a forgetting histogram with a generalised Pareto tail,
// fitted by probability-weighted moments (package stats; Hosking and Wallis 1987),
// which gives it a p.
//
// Combination. The first seven are usual views; the others are experts, of which
// the one that is the most surprised is heard when it is sure:
//
//	e = (1/7)·Σ min(-ln p_i, 13.8) + 0.6·max(0, max(-ln p_expert) - 8)
//
// An average of -ln p is no p, nor is a maximum: so e is ranked among its own past,
// and that rank is ln p.
//
// Learning. A point is judged before it is learned. One strange point (p < 1e-4)
// counts in full but is clipped, so that it moves no level; those that follow it
// count less and less, so that one episode does not hide the next. After 22 strange
// points in a row, or a longer run in which more than half are strange, what was
// strange is the new normal: the levels start again from there.
//
// The first 100 points are a warm-up in which nothing is said. The range that
// windows are measured in is that of the first 300 points, or of a constant and
// what it changed to; a new normal that is far outside widens it.
//
// Limits. A season other than the day and the week is seen by the windows alone. A
// series that was strange in a large way is judged with less sharpness for some
// thousand points, until that is forgotten. After an outlier the windows that hold
// it are strange as well; the opening rule takes that as one event. A value that is
// usual at another time of day weighs little by its time alone. A model takes
// 6.4 KB in memory, 4.5 to 5 KB when written.
package ensemble
