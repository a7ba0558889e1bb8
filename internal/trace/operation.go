// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"math"
	"slices"
)

// operation holds the state of one operation.
type operation struct {
	Operation
	hash    uint64 // of service, name, and kind: its item in callers
	items   []uint64
	peer    Peer
	used    int64 // event time of the last span
	calls   uint64
	ring    [ringSlots]slot
	self    level
	mix     mix
	current Window
}

// unused is the number of a slot or cell that was not used.
const unused = math.MinInt64

// slot holds the counts of an operation within ten seconds.
type slot struct {
	number int64
	self   sums
	ways   []counted // by the mask of the events in a span
	rest   float64
}

// edge is a pair of operations of two services. The first calls the second.
type edge struct {
	caller, callee int32
	used           int64
	calls          uint64
	time           int64 // sum of the times between client and server since the last drain
	ring           [ringSlots]cell
	net            level
	current        EdgeWindow
}

type cell struct {
	number int64
	sums
}

// Bits of a way: whether the span failed, its items, and all items beyond the maximum.
const (
	bitFailed = 0
	firstItem = 1
	bitOthers = 63
	maxItems  = bitOthers - firstItem
	maxWays   = 24 // per slot

	levelStep = 0x9e3779b97f4a7c15 // distinguishes an item from the same item in greater numbers
)

// bit returns the bit of an item, and assigns one if necessary.
func (o *operation) bit(item uint64) int {
	for i, known := range o.items {
		if known == item {
			return firstItem + i
		}
	}
	if len(o.items) == maxItems {
		return bitOthers
	}
	o.items = append(o.items, item)
	return firstItem + len(o.items) - 1
}

// manyOf lists the counts of one item from which a span has another way.
var manyOf = [...]int{1, 2, 3, 4, 6, 8, 12, 16}

// way returns the bits of a multiset of items, which it sorts.
func (o *operation) way(items []uint64) (way uint64) {
	slices.Sort(items)
	for i := 0; i < len(items); {
		item, n := items[i], 0
		for ; i < len(items) && items[i] == item; i++ {
			n++
		}
		for level, least := range manyOf {
			if n < least {
				break
			}
			way |= 1 << o.bit(item+uint64(level)*levelStep)
		}
	}
	return way
}

// slot returns the slot with a number, or nil if it is too old.
func (o *operation) slot(number int64) *slot {
	s := &o.ring[place(number)]
	if s.number < number {
		*s = slot{number: number, ways: s.ways[:0]}
	}
	if s.number > number {
		return nil
	}
	return s
}

func (s *slot) add(way uint64) {
	for i := range s.ways {
		if s.ways[i].key == way {
			s.ways[i].n++
			return
		}
	}
	if len(s.ways) < maxWays {
		s.ways = append(s.ways, counted{way, 1})
		return
	}
	s.rest++
}

func place(number int64) int {
	if p := int(number % ringSlots); p >= 0 {
		return p
	}
	return int(number%ringSlots) + ringSlots
}

// sets reports whether the keys of an operation are sets of items. Otherwise they are log templates of a service.
func (o *operation) sets() bool { return o.Name != "" || o.Kind != KindUnspecified }

// between sums slots from the first to before the last.
func (o *operation) between(from, to int64) (self sums, ways counts) {
	for number := from; number < to; number++ {
		s := &o.ring[place(number)]
		if s.number != number {
			continue
		}
		self.add(s.self)
		for _, w := range s.ways {
			ways.add(w.key, w.n)
		}
		ways.rest, ways.n = ways.rest+s.rest, ways.n+s.rest
	}
	return self, ways
}

func (e *edge) between(from, to int64) (net sums) {
	for number := from; number < to; number++ {
		if c := &e.ring[place(number)]; c.number == number {
			net.add(c.sums)
		}
	}
	return net
}

// learn updates the baselines with the window that begins with a slot.
func (o *operation) learn(first int64) {
	self, ways := o.between(first, first+windowSlots)
	if self.n > 0 {
		o.self.learn(self)
	}
	if ways.n > 0 {
		o.mix.learn(&ways, o.sets())
	}
}

func (e *edge) learn(first int64) {
	if net := e.between(first, first+windowSlots); net.n > 0 {
		e.net.learn(net)
	}
}

func newOperation(op Operation) *operation {
	o := &operation{Operation: op, hash: hashOperation(op), current: Window{Operation: op}}
	for i := range o.ring {
		o.ring[i].number = unused
	}
	return o
}

func newEdge(caller, callee int32) *edge {
	e := &edge{caller: caller, callee: callee}
	for i := range e.ring {
		e.ring[i].number = unused
	}
	return e
}

// hashOperation returns the FNV-1a hash of the names. It equals a template's id only by chance.
func hashOperation(op Operation) uint64 {
	h := uint64(14695981039346656037)
	add := func(s string) {
		for i := range len(s) {
			h = (h ^ uint64(s[i])) * 1099511628211
		}
		h = (h ^ 0xff) * 1099511628211
	}
	add(op.Service)
	add(op.Name)
	return (h ^ uint64(op.Kind)) * 1099511628211
}
