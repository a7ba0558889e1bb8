// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package ensemble

import (
	"fmt"
	"math"

	"github.com/auspex-otel/auspex/internal/state"
)

// version is the first byte of the state. It grows with each change to the
// layout or to what a number means.
const version = 1

// AppendBinary appends the state to b. It never fails.
func (m *Model) AppendBinary(b []byte) ([]byte, error) {
	c := state.Writer(append(b, version))
	m.state(c)
	return c.Bytes(), nil
}

// UnmarshalBinary restores what AppendBinary wrote. It returns an error if b
// has another version, or is nothing that AppendBinary can have written.
func (m *Model) UnmarshalBinary(b []byte) error {
	if len(b) == 0 {
		return fmt.Errorf("ensemble: %w", state.Error)
	}
	if b[0] != version {
		return fmt.Errorf("ensemble: state of version %d, want %d", b[0], version)
	}
	c := state.Reader(b[1:])
	m.state(c)
	if err := c.End(); err != nil {
		return fmt.Errorf("ensemble: %w", err)
	}
	return nil
}

func (m *Model) state(c *state.Codec) {
	c.Uint32(&m.seen)
	m.weight.State(c)
	for _, v := range [...]*float64{&m.odd, &m.low, &m.high, &m.drift, &m.spread} {
		c.Float64(v)
	}
	c.Check(m.odd >= 0 && m.odd < accept && -farthest <= m.low && m.low <= m.high && m.high <= farthest)
	c.Check(math.Abs(m.drift) <= driftClip && math.Abs(m.spread) <= driftClip)
	m.window.State(c)
	c.Check(m.window.Spans(m.low, m.high))
	m.means.State(c)
	m.profile.State(c)
	m.bank.State(c)
	m.flat.State(c)
	c.Check((m.seen > 0) == m.bank.Started())
	for k := range m.boxes {
		m.boxes[k].State(c)
		m.growth[k].State(c)
		c.Float32(&m.held[k].p)
		c.Float32(&m.held[k].l)
		c.Check(m.held[k].p > 0 && m.held[k].p <= 1 && m.held[k].l >= 0 && m.held[k].l <= logCap)
	}
	for k := range m.signed {
		m.signed[k].State(c)
	}
	m.innovation.State(c)
	m.drifts.State(c)
	m.spreads.State(c)
	m.rank.State(c)
}
