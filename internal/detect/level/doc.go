// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package level predicts the next value of one series robustly, and estimates the
// scale of its prediction errors.
//
// Levels. A bank has four predictors for the values, and four for the deseasonalized
// values: three exponential averages with gains .02, .15, and .8, and a level with a
// trend (Holt 1957; gains .3 and .05). All move by clipped steps (Huber's ψ: at most
// three scales times the gain). From the longest memory to the shortest, the first
// predictor is used whose recent squared error is at most 1.1 times the least. This is a
// slow one for white noise, a fast one for a random walk, and one with the season if the
// season explains more. (The absolute error is not suitable: for rare counts it favors
// the prediction 0.)
//
// Scale. The scale is a slow mean of the absolute residual. Residuals are clipped at three
// scales, or at the distance at which large residuals recur, if that is greater. The
// scale is never 0, because changes below 1e-9 of the level are rounding errors.
//
// Restart. When anomalous values have become normal, all levels start there. The scale
// remains, but adapts faster for a while.
//
// Limits. Points are treated as evenly spaced. Several rare counts in a row can select a
// fast level for some points. A bank takes 168 bytes.
package level
