// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package level

import (
	"math"

	"github.com/auspex-otel/auspex/internal/state"
)

// largest bounds the numbers in a state, so that sums of a few stay finite.
const largest = 1e200

// State writes or reads the bank.
func (b *Bank) State(c *state.Codec) {
	for _, t := range []*track{&b.plain, &b.rest} {
		c.Float64s(t.level[:])
		c.Float64(&t.trend)
		for _, l := range t.level {
			c.Check(math.Abs(l) <= largest)
		}
		c.Check(math.Abs(t.trend) <= largest)
	}
	c.Float64s(b.err[:])
	for _, e := range b.err {
		c.Check(e >= 0 && e <= errorClip*errorClip)
	}
	c.Float64(&b.scale)
	c.Uint32(&b.age)
	c.Uint32(&b.scaleAge)
	c.Uint8(&b.best)
	c.Check(b.scale >= 0 && b.scale <= largest && b.age <= old && b.scaleAge <= old && (b.age > 0) == (b.scaleAge > 0) && int(b.best) < predictors)
}
