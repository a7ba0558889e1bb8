// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package season learns the dependence of a series on the time of day and week, in the
// user's time zone, including daylight saving time.
//
// Zone converts an event time to local time. It needs a table look-up only when the
// clock changes.
//
// Profile is a robust daily season: 24 means for weekdays and 24 for weekends,
// connected by lines from the middle of one hour to the next, relative to a level with
// a time constant of 36 h. The level has a slope with a time constant of 72 h,
// learned after the first 36 h. The profile is additive, like the seasonal part of
// exponential smoothing (Holt 1957, Winters 1960), with two differences:
//
//   - a bin's gain, 0.3 an hour, and the level's are per time, not per point, so
//     that the cadence does not matter;
//   - a residual moves it by at most three mean absolute residuals (Huber's ψ)
//     times the trust in the point, so that an anomalous hour does not become
//     the expectation of the next day.
//
// Weekend bins without values use those of weekdays. Level returns the level and the
// mean absolute residual. Shift moves the level when a new one is accepted. Follow
// updates only the level.
//
// Spread is the size of prediction errors in each hour of the day relative to
// their usual size: an exponential mean r of |error|/scale with a gain of 0.3 per hour,
// shrunk toward 1 by the number n of hours of that kind, (r·n + 1.5)/(n + 1.5), and
// limited to 0.25 to 8.
//
// Limits. Saturday and Sunday share bins, and so do the five other days. Changes within
// an hour are smoothed. Days of the month and holidays are not modeled. A Profile takes
// 480 bytes, a Spread 200.
package season
