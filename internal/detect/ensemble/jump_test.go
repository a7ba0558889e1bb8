// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package ensemble

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestGreatJumpOfYoungSeries verifies that a jump of a hundred standard deviations has p < 2.5e-7 even for a series
// with few points and a small share of the false-alarm budget.
func TestGreatJumpOfYoungSeries(t *testing.T) {
	for _, known := range []int{105, 130, 300, 1000} {
		var found int
		for seed := range uint64(200) {
			random := rand.New(rand.NewPCG(seed, 3))
			m := New(nil)
			var nats []float64
			for i := range int64(known + 3) {
				v := 50 + 3*random.NormFloat64()
				if i >= int64(known) {
					v += 300
				}
				nats = append(nats, m.Observe(i*1e9, v).Surprise)
			}
			if slices.Max(nats[known:]) > 15.2 {
				found++
			}
		}
		assert.Greater(t, found, 190, "of 200 series with %d points", known)
	}
}
