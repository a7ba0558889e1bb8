// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"slices"

	"github.com/auspex-otel/auspex/internal/state"
)

// transient writes or reads the free places of operations, the closed windows, and the waiting spans.
func (t *Tracker) transient(c *state.Codec) {
	state.List(c, &t.freeOps, 4, func(i *int32) { indexState(c, i, t.free) })
	c.Check(len(t.freeOps) == len(t.operations)-len(t.index) && unique(t.freeOps))
	state.List(c, &t.windows, 4, func(w *Window) {
		w.Operation.state(c)
		w.state(c)
	})
	state.List(c, &t.edgeWins, 4, func(w *EdgeWindow) {
		w.Caller.state(c)
		w.Callee.state(c)
		w.state(c)
	})
	c.Check(len(t.windows) <= maxClosed && len(t.edgeWins) <= maxClosed)
	t.join.state(c, t.known)
}

// free reports whether a place of operations is free.
func (t *Tracker) free(i int32) bool {
	return i >= 0 && int(i) < len(t.operations) && t.operations[i] == nil
}

// known reports whether an index is that of an operation or none.
func (t *Tracker) known(i int32) bool {
	return i == none || i >= 0 && int(i) < len(t.operations) && t.operations[i] != nil
}

// indexState writes or reads an index that must be valid.
func indexState(c *state.Codec, i *int32, valid func(int32) bool) {
	n := uint32(*i)
	c.Uint32(&n)
	*i = int32(n)
	c.Check(valid(*i))
}

func unique(list []int32) bool {
	sorted := slices.Sorted(slices.Values(list))
	return len(slices.Compact(sorted)) == len(list)
}

func (op *Operation) state(c *state.Codec) {
	c.Text(&op.Service, maxName)
	c.Text(&op.Name, maxName)
	c.Uint8((*uint8)(&op.Kind))
}

// transient writes or reads the counts since the last drain, and those of the last minutes.
func (o *operation) transient(c *state.Codec) {
	c.Uint64(&o.calls)
	for i := range o.ring {
		s := &o.ring[i]
		if !slotNumber(c, &s.number, i) {
			continue
		}
		s.self.state(c)
		state.List(c, &s.ways, 16, func(w *counted) {
			c.Uint64(&w.key)
			count(c, &w.n)
		})
		count(c, &s.rest)
		c.Check(len(s.ways) <= maxWays)
	}
	o.current.state(c)
}

func (e *edge) transient(c *state.Codec) {
	c.Uint64(&e.calls)
	c.Int64(&e.time)
	for i := range e.ring {
		if s := &e.ring[i]; slotNumber(c, &s.number, i) {
			s.sums.state(c)
		}
	}
	e.current.Caller.state(c)
	e.current.Callee.state(c)
	e.current.state(c)
}

// slotNumber writes or reads the number of the slot at a place of a ring, and reports whether the slot was used.
func slotNumber(c *state.Codec, number *int64, at int) (used bool) {
	used = *number != unused
	c.Bool(&used)
	if used {
		c.Int64(number)
		c.Check(place(*number) == at)
	}
	return used && c.Ok()
}

// state writes or reads a window without its operation.
func (w *Window) state(c *state.Codec) {
	c.Int64(&w.Start)
	c.Uint64(&w.Count)
	w.Duration.state(c)
	w.Self.state(c)
}

// state writes or reads a window without its operations.
func (w *EdgeWindow) state(c *state.Codec) {
	c.Int64(&w.Start)
	w.Network.state(c)
}

// state writes or reads the buckets that are not empty.
func (s *Sketch) state(c *state.Codec) {
	var used []uint8
	for j := range s.count {
		if s.count[j] > 0 {
			used = append(used, uint8(j))
		}
	}
	state.List(c, &used, 5, func(j *uint8) {
		if c.Uint8(j); *j >= sketchBuckets {
			c.Check(false)
			return
		}
		c.Uint32(&s.count[*j])
		if c.Reading() {
			s.n += uint64(s.count[*j])
		}
	})
}

// state writes or reads the waiting spans with their parts, in the order of the queue.
func (j *join) state(c *state.Codec, known func(int32) bool) {
	fresh := make([]bool, len(j.spans))
	for _, i := range j.fresh {
		fresh[i] = true
	}
	waiting := slices.Clone(j.queue[j.head:])
	state.List(c, &waiting, 42, func(i *int32) {
		var p pending
		var parts []part
		isFresh := false
		if !c.Reading() {
			p, isFresh, parts = j.spans[*i], fresh[*i], j.partsOf(*i)
		}
		p.state(c, known)
		c.Bool(&isFresh)
		state.List(c, &parts, 29, func(p *part) { p.state(c, known) })
		if c.Reading() {
			*i = j.restore(c, p, isFresh, parts)
		}
	})
}

// partsOf returns the parts of a span in the order of its list.
func (j *join) partsOf(i int32) (list []part) {
	for n := j.spans[i].first; n != none; n = j.parts[n].next {
		list = append(list, j.parts[n])
	}
	return list
}

// restore adds a waiting span, and returns its index.
func (j *join) restore(c *state.Codec, p pending, fresh bool, parts []part) int32 {
	_, twice := j.index[p.key]
	c.Check(!twice && len(j.index) < j.limit && len(j.parts)+len(parts) <= 4*j.limit)
	if !c.Ok() {
		return none
	}
	i := int32(len(j.spans))
	p.first = none
	j.spans, j.queue = append(j.spans, p), append(j.queue, i)
	j.index[p.key] = i
	if fresh {
		j.fresh = append(j.fresh, i)
	}
	for _, one := range slices.Backward(parts) {
		j.attach(i, one)
	}
	return i
}

func (p *pending) state(c *state.Codec, known func(int32) bool) {
	c.Uint64(&p.key.trace)
	c.Uint64(&p.key.span)
	c.Int64(&p.start)
	c.Int64(&p.end)
	c.Int64(&p.latest)
	indexState(c, &p.operation, known)
	c.Bool(&p.failed)
	c.Check(p.start <= p.end)
}

func (p *part) state(c *state.Codec, known func(int32) bool) {
	c.Uint64(&p.item)
	c.Int64(&p.start)
	c.Int64(&p.end)
	indexState(c, &p.operation, known)
	c.Uint8((*uint8)(&p.kind))
}
