// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package clients

import (
	"slices"
	"time"
)

const (
	// MostSlower is the maximum of Slower for a well-behaved client.
	MostSlower = 10
	leastP99   = 10 * time.Millisecond
)

// P99 returns the 99th percentile of latencies, or 0 if there are none.
func P99(latencies []time.Duration) time.Duration {
	if len(latencies) == 0 {
		return 0
	}
	return slices.Sorted(slices.Values(latencies))[len(latencies)*99/100]
}

// Slower returns the ratio of the p99 with misbehaving clients to the p99 without. A p99 below 10 ms
// without them counts as 10 ms, so that scheduling on a busy machine does not decide the result.
func Slower(quiet, misused time.Duration) float64 {
	return float64(misused) / float64(max(quiet, leastP99))
}
