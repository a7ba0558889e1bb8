// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package window

import (
	"math"

	"github.com/auspex-otel/auspex/internal/state"
)

// The largest that a state may hold, so that sums of a few of them stay finite.
const (
	largest       = 1e151                            // origin and range: with any ring, values stay below 1e200
	largestSum    = 4 * Length * math.MaxFloat32     // in ranges
	largestSquare = largestSum * math.MaxFloat32 / 2 // in ranges squared
)

// State writes or reads the window.
func (w *Window) State(c *state.Codec) {
	c.Uint8(&w.n)
	c.Uint8(&w.next)
	c.Check(w.n <= Length && w.next < Length)
	c.Float64(&w.origin)
	c.Float64(&w.span)
	c.Check(math.Abs(w.origin) <= largest && w.span >= 0 && w.span <= largest)
	c.Float32s(w.ring[:])
	for _, x := range w.ring {
		c.Check(x-x == 0)
	}
	for i := range w.sums {
		s := &w.sums[i]
		c.Float64(&s.whole)
		c.Float64(&s.square)
		c.Float64(&s.later)
		c.Float32(&s.least)
		c.Float32(&s.greatest)
		c.Check(math.Abs(s.whole) <= largestSum && math.Abs(s.later) <= largestSum && math.Abs(s.square) <= largestSquare)
		c.Check(s.least <= s.greatest)
	}
}
