// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package meter

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestReadable(t *testing.T) {
	for name, tt := range map[string]struct{ v, least, expected, lower, upper, wantExpected, wantLower, wantUpper float64 }{
		"as they are":      {5, 0, 4, 3, 6, 4, 3, 6},
		"below zero":       {5, 0, 1, -3, 6, 1, 0, 6},
		"may be negative":  {5, math.Inf(-1), 1, -3, 6, 1, -3, 6},
		"negligible":       {0, 0, 1e-301, -1e-301, 2, 0, 0, 2},
		"negligible value": {400, math.Inf(-1), 1e-11, -1e-11, 1e-11, 0, 0, 0},
		"unknown":          {1, 0, math.NaN(), math.NaN(), math.NaN(), math.NaN(), math.NaN(), math.NaN()},
	} {
		Readable(tt.v, tt.least, &tt.expected, &tt.lower, &tt.upper)
		for _, pair := range [][2]float64{{tt.wantExpected, tt.expected}, {tt.wantLower, tt.lower}, {tt.wantUpper, tt.upper}} {
			assert.True(t, pair[0] == pair[1] || math.IsNaN(pair[0]) && math.IsNaN(pair[1]), "%s: %v", name, pair)
		}
	}
}

func TestCountable(t *testing.T) {
	for unit, want := range map[string]bool{"By": true, "ms": true, "{item}": true, "{item}/s": true, "": false, "1": false, "Cel": false} {
		assert.Equal(t, want, Value.Countable(unit), unit)
		assert.True(t, Rate.Countable(unit))
	}
}
