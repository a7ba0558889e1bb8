// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package boxes remembers which windows of a series have been seen, as at most
// 12 boxes in the space of their features: fuzzy ART with hyperboxes (Carpenter,
// Grossberg and Rosen, "Fuzzy ART", Neural Networks 4, 1991), learning fast, in
// one pass.
//
// A box is the least and the greatest of each of the six features. A window with
// the features f makes the box [a, b] grow by
//
//	g = Σ max(a_d - f_d, f_d - b_d, 0)
//
// and is taken in if the sides, whose mean may be 0.3 ranges at most (that is the
// vigilance), add up to no more than the limit L afterward; it costs g/2 then,
// and g + (Σ(b_d - a_d) + g - L) otherwise. The least cost over all boxes is what
// the window is worth as evidence: 0 for what has been seen. A window that no box
// takes in becomes a box of its own, in place of the least used one when there
// are 12. Uses are forgotten with a half-life near 7,000 windows.
//
// Features are fixed-point numbers in ranges of the series, so that costs are
// exact and do not depend on its unit.
//
// Limits. Boxes only grow: what a box has taken in stays usual until the box is
// replaced. What is rare and what is frequent inside a box cost the same. One
// memory takes 344 bytes.
package boxes
