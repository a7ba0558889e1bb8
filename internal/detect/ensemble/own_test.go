// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package ensemble

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
)

// taught returns a correction after n surprises with P(surprise > x) = factor·e^-x.
func taught(seed uint64, n int, factor float64) *own {
	random, o := rand.New(rand.NewPCG(seed, 1)), &own{}
	for range n {
		o.learn(random.ExpFloat64() + math.Log(factor))
	}
	return o
}

// TestOwnCorrection verifies that surprises as frequent as the table states, or rarer, are hardly corrected, and that
// more frequent ones are reduced by the logarithm of the factor.
func TestOwnCorrection(t *testing.T) {
	for _, factor := range []float64{0.2, 1, 3, 10, 30} {
		lost := 0.0
		for seed := range uint64(20) {
			lost += (10 - taught(seed, 15000, factor).corrected(10)) / 20
		}
		assert.InDelta(t, max(0, math.Log(factor)), lost, 0.4, "factor %g", factor)
	}
}

// TestOwnKeepsTheOrder verifies that surprises up to the lower level are unchanged, that greater ones stay above it,
// and that the order is preserved.
func TestOwnKeepsTheOrder(t *testing.T) {
	for _, factor := range []float64{1, 30, 400} {
		o := taught(1, 15000, factor)
		assert.Equal(t, 3.5, o.corrected(3.5))
		before := 0.0
		for nats := 0.0; nats < 40; nats += 0.05 {
			got := o.corrected(nats)
			assert.LessOrEqual(t, got, nats)
			assert.GreaterOrEqual(t, got, min(nats, ownLevels[0]))
			if factor < 100 {
				assert.GreaterOrEqual(t, got, before, "factor %g, %g nats", factor, nats)
			}
			before = got
		}
	}
}

// TestOwnIsBounded verifies that the correction is at most ownMost nats.
func TestOwnIsBounded(t *testing.T) {
	o := &own{}
	for range 15000 {
		o.learn(30)
	}
	assert.InDelta(t, 30-ownMost, o.corrected(30), 1e-9)
}

// TestOwnOfYoungSeries verifies that a few surprises of a young series count little, because the table has the weight
// of ownWeight of them.
func TestOwnOfYoungSeries(t *testing.T) {
	o := &own{}
	for range 100 {
		o.learn(1)
	}
	o.learn(20)
	assert.InDelta(t, math.Log(7.0/6), 20-o.corrected(20), 0.03)
}

// TestOwnForgets verifies that old frequencies decay within a few times ownMemory.
func TestOwnForgets(t *testing.T) {
	o := taught(1, 15000, 30)
	before := 10 - o.corrected(10)
	for range 8 * ownMemory {
		o.learn(1)
	}
	assert.Greater(t, before, 2.5)
	assert.Less(t, 10-o.corrected(10), 0.3)
	assert.LessOrEqual(t, o.n, float32(ownMemory))
}
