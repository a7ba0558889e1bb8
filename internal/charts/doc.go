// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package charts stores the points of series for charts, in event time and within limits of bytes and age.
//
// The newest points of a series are stored unchanged. Eight older points are merged into one that has the minimum,
// the mean, and the maximum of the values and the greatest score, and these are merged by eight again. A series with
// one point per ten seconds takes about 66 kB of memory for its first day and 5 kB for each further one.
//
// While there is room, every series is kept. When there is none, each new point makes a few series give way in turn: the
// points of each hour become one, except the newest. An hour takes 40 bytes, a day of a series 960 bytes. If that frees
// too little, the oldest half of the points is dropped. A series is pinned while users view it, and when an anomaly
// opens. Pinned series do not give way while they take less than half of the memory. Beyond that, the series that was
// pinned the longest ago loses its pin.
package charts
