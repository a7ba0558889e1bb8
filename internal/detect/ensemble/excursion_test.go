// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package ensemble

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestUsualExcursions verifies that an excursion is usual from the fourth on, and only up to the length and size of
// the previous ones.
func TestUsualExcursions(t *testing.T) {
	var x excursions
	for i := range int64(3000) {
		x.pass(i * 60e9)
		if i%1000 == 500 {
			assert.True(t, math.IsInf(x.most(20, 0), 1), "at point %d", i)
			x.learn(20, 600e9)
		}
	}
	assert.InDelta(t, math.Log(1000), x.most(20, 0), 1e-6)
	assert.InDelta(t, math.Log(1000), x.most(20, 600e9), 1e-6)
	assert.True(t, math.IsInf(x.most(-20, 0), 1), "the other direction")
	assert.True(t, math.IsInf(x.most(40, 0), 1), "twice as large")
	assert.True(t, math.IsInf(x.most(20, 1200e9), 1), "twice as long")
}

// TestAcceptedExcursions verifies that accepted levels in one direction, as in a leak, are never usual, and that
// those of a job that lasts longer than the acceptance time are.
func TestAcceptedExcursions(t *testing.T) {
	var leak, job excursions
	for i := range int64(2000) {
		leak.pass(i * 60e9)
		job.pass(i * 60e9)
		if i%100 == 50 {
			leak.accept(20, 3600e9)
			job.accept([]float64{20, -20}[i/100%2], 3600e9)
		}
	}
	assert.True(t, math.IsInf(leak.most(20, 0), 1))
	assert.Less(t, job.most(20, 0), 6.0)
}
