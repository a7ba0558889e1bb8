// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package pace learns the cadence of a series, which is the usual distance between its points, and determines how
// long the series may be silent.
package pace

import (
	"math"
	"time"
)

const (
	// patience is the silence, in cadences, after which a series is deleted.
	patience = 4
	// firstPatience is the silence, in times to live, after which a series with a single point is deleted. Such a
	// series has no cadence yet.
	firstPatience = 2
	// staleAfter is the minimum silence, and staleCadences the silence in cadences, after which a new series may
	// replace a series if there is no room for both.
	staleAfter    = time.Hour
	staleCadences = 10
)

// Stale returns the silence after which a new series may replace a series of a cadence, in nanoseconds and 0 if
// unknown.
func Stale(cadence int64) time.Duration {
	return max(staleAfter, staleCadences*time.Duration(min(cadence, math.MaxInt64/staleCadences)))
}

// Learn returns the cadence after a point that arrived d nanoseconds after the previous one. The cadence, in
// nanoseconds, is 0 before. It changes slowly: d counts as at most twice and at least half of it, so that a gap does
// not change the cadence much.
func Learn(cadence, d int64) int64 {
	if cadence == 0 {
		return d
	}
	step := (min(max(d, cadence/2), 2*cadence) - cadence) / 10
	if step == 0 && d > cadence {
		step = 1
	}
	return max(1, cadence+step)
}

// TimeToLive returns how long a series of a cadence, in nanoseconds and 0 if it is
// unknown, may be silent. It is never less than least.
func TimeToLive(cadence int64, least time.Duration) time.Duration {
	if cadence == 0 {
		return firstPatience * least
	}
	return max(least, patience*time.Duration(min(cadence, math.MaxInt64/patience)))
}
