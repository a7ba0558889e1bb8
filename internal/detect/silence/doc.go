// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package silence says how strange it is that a stream of points has not come
// for some time, while its source is alive. What is usual is learned for each
// stream: the longest of its gaps, and how many of its points are missing.
package silence
