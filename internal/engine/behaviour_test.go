// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

// What a history supports is left alone; beyond it ln p is shortened, more so while
// the history is short, and keeps its order.
func TestSupported(t *testing.T) {
	for _, n := range []uint64{0, 1, 100, deedMemory, 10 * deedMemory, math.MaxUint64} {
		known := -math.Log(float64(max(1, min(n, deedMemory)))) - deedBeyond
		prev := 1.0
		for x := 0.0; x < 500; x += 0.1 {
			got := supported(-x, n)
			if got >= prev || got < -x || -x >= known && got != -x {
				t.Fatalf("%d windows: ln p %g became %g, a lesser one %g", n, -x, got, prev)
			}
			prev = got
		}
		assert.InDelta(t, known-10*deedGuess, supported(known-10, n), 1e-9, "%d windows", n)
	}
	assert.Greater(t, supported(-30, 100), supported(-30, deedMemory), "a young series claims less")
}
