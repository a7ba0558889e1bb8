// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package boxes

import "github.com/auspex-otel/auspex/internal/state"

// State writes or reads the boxes.
func (b *Boxes) State(c *state.Codec) {
	c.Uint8(&b.n)
	c.Check(b.n <= count)
	c.Float32(&b.unit)
	c.Check(b.unit >= 0 && b.unit <= maxUnit)
	for j := range min(b.n, count) {
		x := &b.box[j]
		for d := range x.low {
			low, high := uint16(x.low[d]), uint16(x.high[d])
			c.Uint16(&low)
			c.Uint16(&high)
			x.low[d], x.high[d] = int16(low), int16(high)
			c.Check(x.low[d] <= x.high[d])
		}
		c.Float32(&b.use[j])
		c.Check(b.use[j] >= 0)
	}
}
