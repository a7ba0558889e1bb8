// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package ensemble implements the model of one series. It ranks several views of each
// point among their own past, and combines them into one evidence. It judges a series
// that leaves its level by that level until it returns or the new level is accepted.
//
// Views. Each point has these views:
//
//   - error: the distance from the prediction of a bank of levels and trends, with
//     a daily season or without (packages level and season; Holt 1957, Winters
//     1960), in units of its scale and of the usual size of errors in that hour;
//   - slow: the distance from a slow level (36 h) and the season;
//   - average and value: the mean of 20 slots, and the value, from their center;
//   - short and long: the growth of the nearest of 12 boxes that includes the
//     window of the latest 8 points or 120 slots (packages window and boxes: fuzzy
//     ART; Carpenter, Grossberg and Rosen 1991);
//   - drift and spread: running means of the clipped error and of its size, in which
//     changes too small for one point add up (EWMA charts; Roberts 1959);
//   - hour and six: running means of the slow error over one and six hours;
//   - still: the duration of a standstill (package flat).
//
// A slot is about five minutes and a whole number of points.
//
// Evidence. Each view has a sketch of its tails (stats.Tails) that gives -ln p_i. The first six
// count by their weights w_i, the others are experts, of which the most surprised counts:
//
//	e = Σ w_i·min(-ln p_i, 13.8)/Σ w_i + max(0, max(-ln p_expert) - 8)
//
// A mean of -ln p is not a -ln p. A table of -ln P(evidence ≥ e), computed offline from
// the model's evidence on noise, converts e to a surprise. A series that exceeds 3.5 or 7
// nats more often than the table states is corrected by the logarithm of that ratio.
//
// Counts. The surprise of a series of whole numbers with a mean below 10 is
// limited to its exact tail: Poisson or negative binomial, by its dispersion.
//
// Hold. A point of more than 7.5 nats outside the slow interval starts a hold. Slow views
// that have deviated for hours also start one, if the season is known. The series is then
// judged by the slow level and the season before the hold. The model does not learn, but
// a second bank learns the new level. Three points in a row inside the interval end the
// hold. After the acceptance time (Options.Accept, at least 20 points), a level that no
// longer moves becomes normal. A level that moves gets up to 24 further acceptance times.
// A slow change needs 24 times as long.
//
// The first 100 points are a warm-up, in which the model returns no surprise.
//
// Limits. Only the windows learn seasons other than the day and the weekend. The surprise
// of a view with n known points counts fully up to ln n nats, and by 0.35 beyond, so that
// a young series cannot be very surprising. The interval is wider than 99 % on a bounded
// side. A model takes less than 3.5 KB.
package ensemble
