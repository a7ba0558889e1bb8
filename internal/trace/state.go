// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"math"

	"github.com/auspex-otel/auspex/internal/state"
)

const (
	stateVersion = 1
	maxName      = 1 << 12 // bytes; longer names are cut
	largest      = 1e12    // no count or sum is greater
)

// AppendBinary appends the learned baselines to b. Waiting spans and the last few minutes
// are not included: they are lost on restart.
func (t *Tracker) AppendBinary(b []byte) ([]byte, error) {
	c := state.Writer(b)
	version := uint8(stateVersion)
	c.Uint8(&version)
	c.Int64(&t.now)
	c.Int64(&t.learned)
	place := make([]int32, len(t.operations))
	n := uint32(len(t.index))
	c.Uint32(&n)
	next := int32(0)
	for i, o := range t.operations {
		if o != nil {
			o.state(c)
			place[i] = next
			next++
		}
	}
	n = uint32(len(t.edgeOrder))
	c.Uint32(&n)
	for _, e := range t.edgeOrder {
		caller, callee := uint32(place[e.caller]), uint32(place[e.callee])
		c.Uint32(&caller)
		c.Uint32(&callee)
		e.state(c)
	}
	return c.Bytes(), nil
}

// UnmarshalBinary restores the state that AppendBinary wrote. After an error the tracker is empty.
func (t *Tracker) UnmarshalBinary(b []byte) error {
	t.reset()
	c := state.Reader(b)
	var version uint8
	c.Uint8(&version)
	c.Check(version == stateVersion)
	c.Int64(&t.now)
	c.Int64(&t.learned)
	c.Check(t.learned == math.MinInt64 || t.learned%windowSlots == 0)
	t.readOperations(c)
	t.readEdges(c)
	if err := c.End(); err != nil {
		t.reset()
		return err
	}
	return nil
}

func (t *Tracker) readOperations(c *state.Codec) {
	var n uint32
	for c.Uint32(&n); n > 0 && c.Ok(); n-- {
		o := newOperation(Operation{})
		o.state(c)
		if _, twice := t.index[o.Operation]; twice || len(t.index) == t.cfg.Operations {
			c.Check(false)
			return
		}
		o.hash, o.current.Operation = hashOperation(o.Operation), o.Operation
		t.index[o.Operation] = int32(len(t.operations))
		t.operations = append(t.operations, o)
	}
}

func (t *Tracker) readEdges(c *state.Codec) {
	var n, caller, callee uint32
	for c.Uint32(&n); n > 0 && c.Ok(); n-- {
		c.Uint32(&caller)
		c.Uint32(&callee)
		known := uint32(len(t.operations))
		key := [2]int32{int32(caller), int32(callee)}
		if caller >= known || callee >= known || t.edges[key] != nil || len(t.edges) == t.cfg.Edges {
			c.Check(false)
			return
		}
		e := newEdge(key[0], key[1])
		e.state(c)
		t.edges[key] = e
		t.edgeOrder = append(t.edgeOrder, e)
	}
}

func (o *operation) state(c *state.Codec) {
	c.Text(&o.Service, maxName)
	c.Text(&o.Name, maxName)
	c.Uint8((*uint8)(&o.Kind))
	c.Text(&o.peer.System, maxName)
	c.Text(&o.peer.Name, maxName)
	c.Int64(&o.used)
	n := uint8(len(o.items))
	if c.Uint8(&n); n > maxItems {
		c.Check(false)
		return
	}
	if c.Reading() {
		o.items = make([]uint64, n)
	}
	for i := range o.items {
		c.Uint64(&o.items[i])
	}
	o.self.state(c)
	o.mix.state(c)
}

func (e *edge) state(c *state.Codec) {
	c.Int64(&e.used)
	e.net.state(c)
}

// count writes or reads numbers that must be nonnegative and bounded.
func count(c *state.Codec, vs ...*float64) {
	for _, v := range vs {
		c.Float64(v)
		c.Check(*v >= 0 && *v <= largest)
	}
}

func (a *sums) state(c *state.Codec) { count(c, &a.n, &a.s, &a.ss) }

func (l *level) state(c *state.Codec) {
	l.base.state(c)
	l.other.state(c)
	count(c, &l.windows, &l.drift, &l.seen, &l.others)
}

func (m *mix) state(c *state.Codec) {
	m.base.state(c)
	m.other.state(c)
	count(c, &m.windows, &m.excess, &m.seen, &m.others)
}

func (c *counts) state(codec *state.Codec) {
	n := uint8(len(c.list))
	if codec.Uint8(&n); n > maxKeys {
		codec.Check(false)
		return
	}
	if codec.Reading() {
		c.list = make([]counted, n)
	}
	sum := 0.0
	for i := range c.list {
		codec.Uint64(&c.list[i].key)
		count(codec, &c.list[i].n)
		sum += c.list[i].n
	}
	count(codec, &c.rest, &c.n)
	codec.Check(math.Abs(sum+c.rest-c.n) <= 1e-6*(1+c.n))
}
