// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package ensemble

import (
	"fmt"
	"math"

	"github.com/auspex-otel/auspex/internal/state"
	"github.com/auspex-otel/auspex/internal/stats"
)

// version is the first byte of the state. It increases with each change of the layout or of the meaning of a number.
const version = 3

// AppendBinary appends the state to b. It never fails.
func (m *Model) AppendBinary(b []byte) ([]byte, error) {
	c := state.Writer(append(b, version))
	m.state(c)
	return c.Bytes(), nil
}

// UnmarshalBinary restores the state that AppendBinary wrote. It returns an error if b has another version or is
// invalid.
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
	c.Uint32(&m.slots)
	c.Int64(&m.last)
	c.Int64(&m.stillFrom)
	c.Bool(&m.mature)
	c.Uint8(&m.lastings)
	c.Check(m.lastings <= 8)
	c.Uint8(&m.perSlot)
	c.Uint8(&m.inSlot)
	c.Check(m.perSlot <= mostPoints)
	for _, v := range [...]*float64{&m.cadence, &m.slotSum, &m.slowSum, &m.center, &m.unit, &m.low, &m.high} {
		c.Float64(v)
		c.Check(math.Abs(*v) <= largest)
	}
	c.Check(m.unit >= 0 && m.low <= m.high)
	for _, v := range [...]*float32{&m.held[0], &m.held[1], &m.heldAvg, &m.odd, &m.oddSlots, &m.drift, &m.spread, &m.hour, &m.six} {
		c.Float32(v)
		c.Check(math.Abs(float64(*v)) <= 4*restartOdd)
	}
	c.Check(min(m.held[0], m.held[1], m.heldAvg, m.odd, m.oddSlots) >= 0)
	m.own.state(c)
	m.excursions.state(c)
	m.bank.State(c)
	m.profile.State(c)
	m.byHour.State(c)
	m.counts.state(c)
	m.flat.State(c)
	c.Check((m.seen > 0) == m.bank.Started())
	for k := range m.tails {
		m.tails[k].State(c)
	}
	m.in.State(c)
	m.rings[0].State(c, m.short[:])
	m.rings[1].State(c, m.long[:])
	for k := range m.boxes {
		m.boxes[k].State(c)
	}
	m.holdState(c)
}

// largest bounds the numbers in a state, so that sums of a few stay finite.
const largest = 1e200

// holdState writes or reads whether there is a hold, and the hold.
func (m *Model) holdState(c *state.Codec) {
	there := m.hold != nil
	c.Bool(&there)
	if !there || !c.Ok() {
		return
	}
	if m.hold == nil {
		m.hold = &hold{tails: [3]stats.Tails{m.tails[viewSlow], m.tails[viewHour], m.tails[viewSix]}} // for what a sketch does not write
	}
	h := m.hold
	h.bank.State(c)
	for k := range h.tails {
		h.tails[k].State(c)
	}
	h.away.State(c)
	c.Int64(&h.since)
	c.Int64(&h.from)
	c.Uint8(&h.tries)
	c.Uint8(&h.inside)
	c.Bool(&h.slow)
	c.Bool(&h.lasting)
	for _, v := range [...]*float64{&h.peak, &h.offset, &h.n, &h.sum, &h.sumSq, &h.sumAt} {
		c.Float64(v)
		c.Check(math.Abs(*v) <= math.MaxFloat64/4)
	}
	c.Check(h.n >= 0)
}

// Clone returns a model that continues as m would.
func (m *Model) Clone() *Model {
	c := *m
	if m.hold != nil {
		h := *m.hold
		c.hold = &h
	}
	return &c
}
