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
	// LeastP95 is the least number of values in a window for its p95: with fewer, that is its greatest value.
	LeastP95 = 20
	// LeastP99 is the same for its p99.
	LeastP99 = 100
)
