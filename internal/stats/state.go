// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package stats

import (
	"github.com/auspex-otel/auspex/internal/state"
)

// largest bounds the numbers in a state, so that sums of a few stay finite.
const largest = 1e200

// State writes or reads the weight.
func (w *Weight) State(c *state.Codec) {
	c.Uint16((*uint16)(w))
	c.Check(*w < HalfLife)
}

// State writes or reads the magnitudes.
func (m *Magnitudes) State(c *state.Codec) { m.side.state(c) }

// State writes or reads the unit and the magnitudes.
func (p *Positive) State(c *state.Codec) {
	p.unit.state(c)
	p.m.State(c)
}

func (u *unit) state(c *state.Codec) {
	c.Float64((*float64)(u))
	c.Check(*u >= 0 && *u <= largest)
}

func (s *side) state(c *state.Codec) {
	c.Counts(s.count[:])
	s.total = sum(s.count[:])
	t := &s.tail
	c.Uint8(&t.from)
	c.Check(t.from >= 1 && t.from < buckets)
	for _, v := range [...]*float32{&t.share, &t.sigma, &t.shape, &t.far} {
		c.Float32(v)
	}
	c.Check(t.share > 0 && t.share <= 1 && t.sigma > 0 && t.shape >= float32(minShape) && t.shape <= float32(maxShape) && t.far >= 0)
}
