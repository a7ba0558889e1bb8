// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package series

import (
	"container/heap"
	"time"
)

// A full table with Learned makes room for a new entry as follows. The share of an owner is the
// limit divided by the number of owners that have learned.
//
//   - The entry with the longest silence is dropped, if it is stale.
//   - An owner at its share loses its own entries that have learned less than the new one.
//   - For an owner below its share, the owner with the most young entries loses its oldest one.
//     If there are no young entries, the largest owner above its share loses its least learned one.
//   - Otherwise there is no room.

// level states how much an entry has learned.
type level uint8

const (
	young    level = iota // at most one point
	learning              // fewer than enough points
	learned
	levels
)

// enough is the number of points from which an entry has learned.
const enough = 64

func levelOf(points uint64) level {
	switch {
	case points < 2:
		return young
	case points < enough:
		return learning
	default:
		return learned
	}
}

// owner holds a share of the table: a service.
type owner[V any] struct {
	id      ID
	weights [levels]int
	size    Size
	// first and last are the ends of the lists of entries by level, in order of arrival.
	first, last [levels]*Entry[V]
	place       int // in owners.young, -1 if it has no entries
}

// owners holds the owners with entries.
type owners[V any] struct {
	all     map[ID]*owner[V]
	young   mostYoung[V]
	learned int // number of owners with entries that have learned
	// searched is the time of the last search for the largest one.
	searched time.Time
	largest  *owner[V]
}

func newOwners[V any]() owners[V] { return owners[V]{all: map[ID]*owner[V]{}} }

// mostYoung is a heap of owners, the one with the highest weight of young entries first.
type mostYoung[V any] []*owner[V]

func (h mostYoung[V]) Len() int           { return len(h) }
func (h mostYoung[V]) Less(i, j int) bool { return h[i].weights[young] > h[j].weights[young] }
func (h mostYoung[V]) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i, j
}

func (h *mostYoung[V]) Push(x any) {
	o := x.(*owner[V])
	o.place = len(*h)
	*h = append(*h, o)
}

func (h *mostYoung[V]) Pop() any {
	o := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	o.place = -1
	return o
}

// of returns an owner, and creates it if necessary. A new owner belongs to the table after an
// entry has joined.
func (s *owners[V]) of(id ID) *owner[V] {
	if o := s.all[id]; o != nil {
		return o
	}
	return &owner[V]{id: id, place: -1}
}

// join adds an entry to its owner.
func (s *owners[V]) join(e *Entry[V]) {
	o := e.owner
	if o.place < 0 {
		s.all[o.id] = o
		heap.Push(&s.young, o)
	}
	o.size.Weight += e.size.Weight
	o.size.Bytes += e.size.Bytes
	s.enter(e)
}

// leave removes an entry from its owner, and the owner with its last entry.
func (s *owners[V]) leave(e *Entry[V]) {
	o := e.owner
	s.exit(e)
	o.size.Weight -= e.size.Weight
	o.size.Bytes -= e.size.Bytes
	if o.first == [levels]*Entry[V]{} {
		heap.Remove(&s.young, o.place)
		delete(s.all, o.id)
		if s.largest == o {
			s.largest = nil
		}
	}
}

// enter appends an entry to the list of its level.
func (s *owners[V]) enter(e *Entry[V]) {
	o, l := e.owner, e.level
	if e.before = o.last[l]; e.before != nil {
		e.before.after = e
	} else {
		o.first[l] = e
		if l == learned {
			s.learned++
		}
	}
	o.last[l], e.after = e, nil
	o.weights[l] += e.size.Weight
	if l == young {
		heap.Fix(&s.young, o.place)
	}
}

// exit removes an entry from the list of its level.
func (s *owners[V]) exit(e *Entry[V]) {
	o, l := e.owner, e.level
	if e.before != nil {
		e.before.after = e.after
	} else {
		o.first[l] = e.after
	}
	if e.after != nil {
		e.after.before = e.before
	} else {
		o.last[l] = e.before
	}
	e.before, e.after = nil, nil
	o.weights[l] -= e.size.Weight
	switch {
	case l == young:
		heap.Fix(&s.young, o.place)
	case l == learned && o.first[l] == nil:
		s.learned--
	}
}

// promote moves an entry to the level of its learned points.
func (t *Table[V]) promote(e *Entry[V]) {
	if l := levelOf(t.Learned(&e.Value)); l > e.level {
		t.owners.exit(e)
		e.level = l
		t.owners.enter(e)
	}
}

// Room reports whether Add has room for new state of an owner, after it dropped other entries.
func (t *Table[V]) Room(owner ID, size Size, now time.Time) bool {
	return t.makeRoom(t.owners.of(owner), young, size, now)
}

// makeRoom reports whether there is room for an entry of an owner, after it dropped other
// entries.
func (t *Table[V]) makeRoom(o *owner[V], l level, size Size, now time.Time) bool {
	for t.size.Weight+size.Weight > t.limit.Weight || t.size.Bytes+size.Bytes > t.limit.Bytes {
		e := t.yielding(o, l, size, now)
		if e == nil {
			return false
		}
		t.drop(e)
	}
	return true
}

// yielding returns the entry that a new one replaces, or nil.
func (t *Table[V]) yielding(o *owner[V], l level, size Size, now time.Time) *Entry[V] {
	oldest := t.ring.newer
	if t.Learned == nil {
		return oldest
	}
	if now.Sub(oldest.touched) > t.Stale(&oldest.Value) {
		return oldest
	}
	share := t.share(o)
	switch {
	case o.size.Weight+size.Weight > share.Weight || o.size.Bytes+size.Bytes > share.Bytes:
		for below := young; below == young || below < l; below++ {
			if e := o.idlest(below); e != nil {
				return e
			}
		}
	default:
		if e := t.owners.youngest(); e != nil {
			return e
		}
		if most := t.largest(now); most != nil && (most.size.Weight > share.Weight || most.size.Bytes > share.Bytes) {
			return most.least()
		}
	}
	return nil
}

// youngest returns a young entry of the owner with the most of them, or nil.
func (s *owners[V]) youngest() *Entry[V] {
	if len(s.young) == 0 {
		return nil
	}
	return s.young[0].idlest(young)
}

// share returns the part of a full table that each owner may fill.
func (t *Table[V]) share(o *owner[V]) Size {
	n := t.owners.learned
	if o.first[learned] == nil {
		n++
	}
	return Size{t.limit.Weight / n, t.limit.Bytes / n}
}

// largest returns the owner with the most bytes, as of the latest tick.
func (t *Table[V]) largest(now time.Time) *owner[V] {
	s := &t.owners
	if !s.searched.Equal(now) {
		s.searched, s.largest = now, s.search()
	}
	return s.largest
}

func (s *owners[V]) search() (most *owner[V]) {
	for _, o := range s.all {
		if most == nil || o.size.Bytes > most.size.Bytes || o.size.Bytes == most.size.Bytes && o.id < most.id {
			most = o
		}
	}
	return most
}

// least returns an entry of the owner's lowest level.
func (o *owner[V]) least() *Entry[V] {
	for l := range levels {
		if e := o.idlest(l); e != nil {
			return e
		}
	}
	return nil
}

// compared is the number of entries of one level that idlest compares.
const compared = 8

// idlest returns the entry with the longest silence among the first ones of a level, or nil.
func (o *owner[V]) idlest(l level) *Entry[V] {
	found := o.first[l]
	e := found
	for n := 1; n < compared && e != nil; n++ {
		if e = e.after; e != nil && e.touched.Before(found.touched) {
			found = e
		}
	}
	return found
}

// SetLimit bounds the bytes of all entries. It drops the least learned entries of the largest
// owners until the rest fit, young entries first.
func (t *Table[V]) SetLimit(bytes int) {
	t.limit.Bytes = bytes
	for t.size.Bytes > bytes {
		e := t.owners.youngest()
		if e == nil {
			e = t.owners.search().least()
		}
		t.drop(e)
	}
}
