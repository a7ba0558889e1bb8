// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package window

import "time"

const (
	// Established is the number of windows in which a template or an operation must occur to have series of its own.
	Established = 10
	// RareFor is the time without records, in nanoseconds, after which a template or an operation
	// without series is forgotten if there is no room for others.
	RareFor = int64(time.Hour)
	// LeastP95 and LeastP99 are the least numbers of values in a window for these quantiles: with fewer, they are its greatest value.
	LeastP95, LeastP99 = 20, 100
)
