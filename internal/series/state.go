// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package series

import (
	"container/heap"
	"time"

	"github.com/auspex-otel/auspex/internal/state"
)

// State writes or reads what determines the entries that the table drops next: the order, the times, and the sizes of
// the entries, but not their values. The same entries must be in the table when it is read.
func (t *Table[V]) State(c *state.Codec) {
	c.Time(&t.rests)
	t.ringState(c)
	t.owners.state(c, t.entries)
}

// ringState writes or reads the entries in the order of their last touch.
func (t *Table[V]) ringState(c *state.Codec) {
	type touch struct {
		id    ID
		at    time.Time
		bytes int
	}
	list := make([]touch, 0, len(t.entries))
	if !c.Reading() {
		for e := t.ring.newer; e != &t.ring; e = e.newer {
			list = append(list, touch{e.id, e.touched, e.size.Bytes})
		}
	}
	state.List(c, &list, 24, func(one *touch) {
		c.Uint64((*uint64)(&one.id))
		c.Time(&one.at)
		c.Int(&one.bytes)
		c.Check(one.bytes >= 0)
	})
	c.Check(len(list) == len(t.entries))
	if !c.Reading() || !c.Ok() {
		return
	}
	seen := make(map[ID]bool, len(list))
	for _, one := range list {
		e := t.entries[one.id]
		if e == nil || seen[one.id] {
			c.Check(false)
			return
		}
		seen[one.id] = true
		t.unlink(e)
		t.link(e)
		e.touched = one.at
		t.size.Bytes += one.bytes - e.size.Bytes
		e.owner.size.Bytes += one.bytes - e.size.Bytes
		e.size.Bytes = one.bytes
	}
}

// state writes or reads the owners in the order of the heap, each with its entries by level in the order of arrival.
func (s *owners[V]) state(c *state.Codec, entries map[ID]*Entry[V]) {
	var largest ID
	known := s.largest != nil
	if known {
		largest = s.largest.id
	}
	c.Time(&s.searched)
	c.Bool(&known)
	c.Uint64((*uint64)(&largest))
	order := []*owner[V](s.young)
	state.List(c, &order, 8, func(o **owner[V]) {
		var id ID
		if !c.Reading() {
			id = (*o).id
		}
		c.Uint64((*uint64)(&id))
		if c.Reading() {
			*o = s.all[id]
			c.Check(*o != nil)
		}
		for l := range levels {
			var list []ID
			if !c.Reading() {
				for e := (*o).first[l]; e != nil; e = e.after {
					list = append(list, e.id)
				}
			}
			state.List(c, &list, 8, func(id *ID) { c.Uint64((*uint64)(id)) })
			if c.Reading() {
				s.arrange(c, *o, l, list, entries)
			}
		}
	})
	if !c.Reading() || !c.Ok() {
		return
	}
	seen := map[*owner[V]]bool{}
	for _, o := range order {
		seen[o] = true
	}
	if c.Check(len(order) == len(s.all) && len(seen) == len(s.all)); !c.Ok() {
		return
	}
	s.young = order
	for i, o := range order {
		o.place = i
	}
	heap.Init(&s.young)
	s.largest = nil
	if known {
		s.largest = s.all[largest]
	}
}

// arrange makes entries of an owner the last ones of a level.
func (s *owners[V]) arrange(c *state.Codec, o *owner[V], l level, list []ID, entries map[ID]*Entry[V]) {
	for _, id := range list {
		e := entries[id]
		if c.Check(e != nil && e.owner == o); !c.Ok() {
			return
		}
		s.exit(e)
		e.level = l
		s.enter(e)
	}
}
