// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package causes

import "github.com/auspex-otel/auspex/internal/state"

const (
	stateVersion = 1
	maxName      = 1 << 12
)

// AppendBinary appends the learned state.
func (a *Accumulator) AppendBinary(b []byte) ([]byte, error) {
	c := state.Writer(b)
	a.State(c)
	return c.Bytes(), c.End()
}

// UnmarshalBinary restores the state that AppendBinary wrote. After an error the accumulator is empty.
func (a *Accumulator) UnmarshalBinary(b []byte) error {
	c := state.Reader(b)
	a.State(c)
	err := c.End()
	if err != nil {
		*a = *New(a.cfg)
	}
	return err
}

// State writes or reads the learned state. Only a complete state includes what spans showed in the last few minutes.
// After an error the accumulator is empty.
func (a *Accumulator) State(c *state.Codec) {
	if c.Reading() {
		*a = *New(a.cfg)
	}
	version := uint8(stateVersion)
	c.Uint8(&version)
	c.Check(version == stateVersion)
	c.Section(a.tracker.State)
	c.Part(a.graph)
	n := uint32(len(a.uses.order))
	c.Uint32(&n)
	if !c.Reading() {
		for _, u := range a.uses.order {
			u.state(c)
		}
		return
	}
	for ; n > 0 && c.Ok(); n-- {
		u := &usage{}
		u.state(c)
		c.Check(a.uses.index[u.resource] == nil && len(a.uses.index) < a.cfg.Resources)
		a.uses.index[u.resource] = u
		a.uses.order = append(a.uses.order, u)
	}
	if !c.Ok() {
		*a = *New(a.cfg)
	}
}

func (u *usage) state(c *state.Codec) {
	c.Text(&u.service, maxName)
	c.Text(&u.instance, maxName)
	c.Text(&u.quantity, maxName)
	c.Int64(&u.used)
	n := uint8(len(u.means))
	if c.Uint8(&n); n > maxMeans {
		c.Check(false)
		return
	}
	if c.Reading() {
		u.means = make([]mean, n)
	}
	for i := range u.means {
		m := &u.means[i]
		c.Int64(&m.number)
		c.Float64(&m.sum)
		c.Float64(&m.n)
		c.Check(m.n >= 1 && m.sum >= 0 && (i == 0 || m.number > u.means[i-1].number))
	}
}
