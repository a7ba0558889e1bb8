// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package deed

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestSupported verifies that surprises that the history supports are unchanged, and that greater ones are reduced,
// more for short histories, while keeping their order.
func TestSupported(t *testing.T) {
	for _, n := range []uint64{0, 1, 100, memory, 10 * memory, math.MaxUint64} {
		known := math.Log(float64(max(1, min(n, memory)))) + beyond
		prev := -1.0
		for x := 0.0; x < 500; x += 0.1 {
			got := Supported(x, n)
			if got <= prev || got > x || x <= known && got != x {
				t.Fatalf("%d windows: surprise %g became %g, a smaller one %g", n, x, got, prev)
			}
			prev = got
		}
		assert.InDelta(t, known+10*guess, Supported(known+10, n), 1e-9, "%d windows", n)
	}
	assert.Less(t, Supported(30, 100), Supported(30, memory), "a young series claims less")
}
