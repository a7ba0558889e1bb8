// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package window

import (
	"math"

	"github.com/auspex-otel/auspex/internal/state"
)

// largest bounds origin and range, so that sums of a few stay finite.
const largest = 1e151

// State writes or reads the unit.
func (u *Unit) State(c *state.Codec) {
	c.Float64(&u.Origin)
	c.Float64(&u.Span)
	c.Check(math.Abs(u.Origin) <= largest && u.Span >= 0 && u.Span <= largest)
}

// State writes or reads the ring and its values.
func (r *Ring) State(c *state.Codec, values []float32) {
	c.Uint8(&r.n)
	c.Uint8(&r.next)
	c.Check(int(r.n) <= len(values) && int(r.next) < len(values))
	c.Float32s(values)
	for _, x := range values {
		c.Check(x >= -farthest && x <= farthest)
	}
}
