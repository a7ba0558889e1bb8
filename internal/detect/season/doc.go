// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package season finds what depends on the time of day and week, in the user's
// zone, daylight saving included.
//
// Zone turns an event time into a local one, at the cost of a table look-up only
// where the clock changes.
//
// Profile is a robust daily course: 24 means for weekdays and 24 for weekends,
// joined by lines from the middle of an hour to the next, relative to a level with
// a time constant of 36 h. The level has a slope with a time constant of 72 h,
// learned after the first 36 h. The profile is additive, as the seasonal part of
// exponential smoothing (Holt 1957, Winters 1960), but
//
//   - a bin's gain, 0.3 an hour, and the level's are per time, not per point, so
//     that the cadence does not matter;
//   - a residual moves it by at most three mean absolute residuals (Huber's ψ)
//     times the trust in the point, so that one strange hour does not become
//     tomorrow's expectation.
//
// A weekend's bin that was never seen expects what weekdays had. Level returns the
// level and the mean absolute residual. Shift moves the level when a new one is
// accepted, and Follow lets the level alone learn.
//
// Spread is the size of prediction errors in each hour of the day relative to
// their usual size: a forgetting mean r of |error|/scale with a gain of 0.3 an hour,
// shrunk to 1 while n hours of that kind were seen, (r·n + 1.5)/(n + 1.5), and
// bounded to 0.25 and 8.
//
// Limits. Saturday and Sunday share bins, and so do the five other days; what is
// shorter than an hour is smoothed away; no day of the month, no holiday. A
// Profile takes 480 bytes, a Spread 200.
package season
