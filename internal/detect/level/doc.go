// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package level predicts the next value of one series, robustly, and knows the
// scale of its own errors.
//
// Levels. Of the values, and of what a season leaves of them, a bank keeps four
// predictors each: three exponential averages with gains .02, .15 and .8, and a
// level with a trend (Holt 1957; gains .3 and .05 of that). All are moved by
// clipped steps (Huber's ψ: at most three scales times the gain). From the longest
// memory to the shortest, the first whose recent squared error is at most 1.1
// times the least of all predicts: a slow one in white noise, a fast one in a
// random walk, one with the season where that explains more. (The absolute error
// would not do: on rare counts it favors whatever says 0.)
//
// Scale. A slow mean of the absolute residual, clipped at three scales or, if that
// is further, at how far out residuals recur; it is never 0, as changes below 1e-9
// of the level are rounding.
//
// Restart. When what was strange has become the new normal, all levels start there;
// the scale stays, but adapts faster for a while.
//
// Limits. Points are taken as evenly spaced. A heap of rare counts can bring a
// fast level to the front for some points. A bank takes 168 bytes.
package level
