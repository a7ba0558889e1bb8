// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package season

import (
	"math"

	"github.com/auspex-otel/auspex/internal/state"
)

// largest bounds the numbers in a state, so that sums of a few stay finite.
const largest = 1e200

func number(c *state.Codec, v *float64) {
	c.Float64(v)
	c.Check(math.Abs(*v) <= largest)
}

func numbers(c *state.Codec, vs []float64) {
	for i := range vs {
		number(c, &vs[i])
	}
}

// State writes or reads the profile.
func (p *Profile) State(c *state.Codec) {
	c.Uint16(&p.n)
	c.Int64(&p.last)
	c.Int64(&p.since)
	number(c, &p.level)
	number(c, &p.weekday)
	number(c, &p.slope)
	number(c, &p.scale)
	c.Check(p.scale >= 0)
	numbers(c, p.bin[:])
	for i := range p.count {
		c.Uint8(&p.count[i])
	}
}
