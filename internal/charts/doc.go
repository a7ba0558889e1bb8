// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package charts keeps the points of series for charts, in event time and within
// a limit of bytes and of age.
//
// The newest points of a series are kept as they came. Older ones are merged by
// eight into one that keeps the minimum, the mean, and the maximum of the values
// and the greatest score, and these by eight again. A series of one point each ten
// seconds takes about 66 kB of memory for its first day and 5 kB for each further one.
//
// While there is room, every series is kept. When there is none, the oldest half
// of the points goes: first of series that are not pinned, then of the series
// that were pinned the longest ago. A series is pinned while users view it, and
// when an anomaly opens.
package charts
