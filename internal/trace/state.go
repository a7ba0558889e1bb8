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

// AppendBinary appends the state to b.
func (t *Tracker) AppendBinary(b []byte) ([]byte, error) {
	c := state.Writer(b)
	t.State(c)
	return c.Bytes(), c.End()
}

// UnmarshalBinary restores the state that AppendBinary wrote. After an error the tracker is empty.
func (t *Tracker) UnmarshalBinary(b []byte) error {
	c := state.Reader(b)
	t.State(c)
	err := c.End()
	if err != nil {
		t.reset()
	}
	return err
}

// State writes or reads the learned baselines. Only a complete state includes the waiting spans and the last few
// minutes. After an error the tracker is empty.
func (t *Tracker) State(c *state.Codec) {
	if c.Reading() {
		t.reset()
	}
	version := uint8(stateVersion)
	c.Uint8(&version)
	c.Check(version == stateVersion)
	c.Int64(&t.now)
	c.Int64(&t.learned)
	c.Check(t.learned == math.MinInt64 || t.learned%windowSlots == 0)
	if c.Reading() {
		t.readOperations(c)
		t.readEdges(c)
	} else {
		place := t.writeOperations(c)
		t.writeEdges(c, place)
	}
	if c.Complete() {
		t.transient(c)
	}
	if c.Reading() && !c.Ok() {
		t.reset()
	}
}

// writeOperations writes the operations, and returns their places among those that were written. A complete state
// includes the free places.
func (t *Tracker) writeOperations(c *state.Codec) (place []int32) {
	place = make([]int32, len(t.operations))
	n, next := uint32(len(t.index)), int32(0)
	if c.Complete() {
		n = uint32(len(t.operations))
	}
	c.Uint32(&n)
	for i, o := range t.operations {
		present := o != nil
		if c.Complete() {
			c.Bool(&present)
		}
		if present {
			o.state(c)
		}
		if place[i] = next; present || c.Complete() {
			next++
		}
	}
	return place
}

func (t *Tracker) writeEdges(c *state.Codec, place []int32) {
	n := uint32(len(t.edgeOrder))
	c.Uint32(&n)
	for _, e := range t.edgeOrder {
		caller, callee := uint32(place[e.caller]), uint32(place[e.callee])
		c.Uint32(&caller)
		c.Uint32(&callee)
		e.state(c)
	}
}

func (t *Tracker) readOperations(c *state.Codec) {
	var n uint32
	for c.Uint32(&n); n > 0 && c.Ok(); n-- {
		present := true
		if c.Complete() {
			c.Bool(&present)
		}
		o := newOperation(Operation{})
		if present {
			o.state(c)
		}
		if _, twice := t.index[o.Operation]; twice && present || len(t.operations) == t.cfg.Operations {
			c.Check(false)
			return
		}
		if !present {
			t.operations = append(t.operations, nil)
			continue
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
		if caller >= known || callee >= known || t.operations[caller] == nil || t.operations[callee] == nil || t.edges[key] != nil || len(t.edges) == t.cfg.Edges {
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
	if c.Complete() {
		o.transient(c)
	}
}

func (e *edge) state(c *state.Codec) {
	c.Int64(&e.used)
	e.net.state(c)
	if c.Complete() {
		e.transient(c)
	}
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
