// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package ensemble

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestDailyCourseStaysAtItsLevel verifies that a daily season that includes weekends opens nothing, on whichever
// weekday the series begins.
func TestDailyCourseStaysAtItsLevel(t *testing.T) {
	const steps, step, settled = 14 * 288, 300, 4 * 288
	for start := range int64(48) {
		random := rand.New(rand.NewPCG(uint64(start), 3))
		m := New(nil)
		held := 0
		for i := range int64(steps) {
			at := 1795885200 + start*12600 + i*step
			o := m.Observe(at*1e9, 10+3*math.Sin(2*math.Pi*float64(at%86400)/86400)+0.2*random.NormFloat64())
			if held++; !o.Held {
				held = 0
			}
			if i > settled && (held > 24 || o.Surprise > 13) {
				t.Fatalf("start %d, step %d: held for %d points, surprise %.1f, expected %.2f", start, i, held, o.Surprise, o.Expected)
			}
		}
	}
}
