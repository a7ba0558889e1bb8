// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package ensemble

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestHeldEvidence verifies that a jump inside the slow interval has no effect while a series is held after a sharp
// change. It is a surprise if the series is held because of a small deviation for hours.
func TestHeldEvidence(t *testing.T) {
	for _, lasting := range []bool{false, true} {
		random := rand.New(rand.NewPCG(1, 1))
		m := New(nil)
		for i := range int64(3000) {
			m.Observe(i*300e9, 100+10*math.Sin(float64(i)/8)+0.3*random.NormFloat64())
		}
		require.Nil(t, m.hold)
		f := &facts{ratio: 1}
		f.x[viewSlow] = 3
		m.leave(3000*300e9, 112, f, lasting)
		for range 10 {
			m.hold.bank.Learn(112+0.3*random.NormFloat64(), 0, 1, func() float64 { return math.Inf(1) })
		}
		nats := m.heldEvidence(f, 102, m.slow(f, 102))
		if lasting {
			assert.Greater(t, nats, 5.0)
		} else {
			assert.Zero(t, nats)
		}
	}
}
