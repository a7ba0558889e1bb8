// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package boxes stores the windows of a series as at most 12 boxes in the space of
// their features. The method is fuzzy ART with hyperboxes, fast learning, and one pass
// (Carpenter, Grossberg and Rosen, "Fuzzy ART", Neural Networks 4, 1991).
//
// A box holds the least and the greatest value of each of the six features. To include
// a window with the features f, the box [a, b] must grow by
//
//	g = Σ max(a_d - f_d, f_d - b_d, 0)
//
// A box includes the window if the sum of its sides is then at most the limit L, which
// is a mean side of 0.3 ranges (the vigilance). The cost is g/2 in this case, and
// g + (Σ(b_d - a_d) + g - L) otherwise. The evidence of the window is the least cost
// over all boxes, which is 0 for known windows. A window that no box includes becomes a
// new box. It replaces the least used box if there are 12. Uses decay with a half-life
// of about 7,000 windows.
//
// Features are fixed-point numbers in ranges of the series, so that costs are
// exact and do not depend on its unit.
//
// Limits. Boxes only grow: the content of a box is usual until the box is replaced. Rare
// and frequent windows inside a box cost the same. A Boxes takes 344 bytes.
package boxes
