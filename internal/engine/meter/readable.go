// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package meter

import (
	"math"
	"strings"

	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// negligible is the share of a value or of the interval below which a bound is set to 0, because a level that decays
// toward 0 never reaches it.
const negligible = 1e-12

// Readable sets the expected value and the bounds of its interval to 0 if they are negligible, and raises all three
// to at least least.
func Readable(v, least float64, expected, lower, upper *float64) {
	small := float64(negligible * max(math.Abs(v), *upper-*lower))
	for _, x := range [...]*float64{expected, lower, upper} {
		if math.Abs(*x) < small {
			*x = 0
		}
		if *x < least {
			*x = least
		}
	}
}

// Countable reports whether a statistic of a metric with the given unit cannot be negative:
// a rate, a share, a size, a count, or a duration.
func (s Statistic) Countable(unit string) bool {
	unit, _, _ = strings.Cut(unit, "/")
	return s != Value || strings.HasPrefix(unit, "{") || vocabulary.Laddered(unit)
}
