// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package season finds what depends on the time of day and week: in the user's
// zone, daylight saving included.
//
// Zone turns an event time into a local one, at the cost of a table look-up only
// where the clock changes.
//
// Means are plain forgetting means, to be judged against: of the values by the
// half hour, weekends apart, and by the hour of what a slow level leaves. A mean
// of n points moves by max(1/n, gain) of the residual: 0.1 for a bin, 0.01 for
// the level.
//
// Profile is a robust daily course, to be predicted with: 24 means for weekdays
// and 24 for weekends, joined by lines from the middle of an hour to the next,
// relative to a level with a time constant of 36 h. It is additive and without a
// trend of its own, as in the seasonal part of exponential smoothing (Holt 1957,
// Winters 1960), but
//
//   - a bin's gain, 0.3 an hour, and the level's are per time, not per point, so
//     that the cadence does not matter;
//   - a residual moves it by at most three mean absolute residuals (Huber's ψ)
//     times the trust in the point, so that one strange hour does not become
//     tomorrow's expectation.
//
// Both take a weekend's bin for what it is, a bin of both its days: Means knows
// nothing there until it was seen twice, Profile expects what weekdays had.
//
// Limits. Saturday and Sunday share bins, and so do the five other days; what is
// shorter than an hour is smoothed away by Profile, and shorter than half an hour
// by Means; no day of the month, no holiday. Means take 1,096 bytes, a Profile 464.
package season
