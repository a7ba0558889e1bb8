// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package series

import (
	"iter"
	"math"
	"time"
)

// Table holds state by identity. It is bounded by a weight (the number of series that
// an entry stands for) and by bytes, and it ages: an entry that was not touched for the
// table's time to live, and its own if that is longer, goes at the next Age. It is
// not safe for concurrent use.
//
// Without Learned, the entry that has gone untouched the longest gives way to a new one. With
// it, what has learned gives way to nothing that has learned less: see room.go.
type Table[V any] struct {
	limit, size Size
	ttl         time.Duration
	rests       time.Time // until then nothing ages
	entries     map[ID]*Entry[V]
	// ring is the sentinel of the entries in the order of their last touch: ring.newer is the oldest.
	ring   Entry[V]
	owners owners[V]
	// Dropped, if set, is told of every entry that leaves by limit or age.
	Dropped func(ID, *V)
	// TTL, if set, returns the time to live of one entry. Values below the table's have no effect.
	TTL func(*V) time.Duration
	// Learned, if set, returns from how many points an entry has learned.
	Learned func(*V) uint64
	// Stale, if Learned is set, returns the silence after which an entry gives way to any new one.
	Stale func(*V) time.Duration
}

// Entry is where a table keeps the state of one identity. It leads there without
// another look-up, for as long as the table has it.
type Entry[V any] struct {
	older, newer  *Entry[V] // nil once it has left the table
	before, after *Entry[V] // among those of its owner and level
	owner         *owner[V]
	id            ID
	size          Size
	level         level
	touched       time.Time
	Value         V
}

// Size is what an entry takes of a table.
type Size struct{ Weight, Bytes int }

// NewTable returns an empty table that holds at most limit weight and drops what
// was not touched for ttl. A ttl of 0 or less means that nothing ages. Its bytes
// are not bounded until SetLimit.
func NewTable[V any](limit int, ttl time.Duration) *Table[V] {
	t := &Table[V]{limit: Size{limit, math.MaxInt}, ttl: ttl, entries: make(map[ID]*Entry[V]), owners: newOwners[V]()}
	t.ring.older, t.ring.newer = &t.ring, &t.ring
	return t
}

// Get returns the state of id and marks it as touched at now, or nil.
func (t *Table[V]) Get(id ID, now time.Time) *V {
	if e := t.entries[id]; e != nil {
		return t.Touch(e, now)
	}
	return nil
}

// Find returns the entry of id, or nil, without touching it.
func (t *Table[V]) Find(id ID) *Entry[V] { return t.entries[id] }

// Touch returns the state of an entry that Find has found, and marks it as
// touched at now; nil if it has left the table since then.
func (t *Table[V]) Touch(e *Entry[V], now time.Time) *V {
	if e.newer == nil {
		return nil
	}
	e.touched = now
	if e.newer != &t.ring {
		t.unlink(e)
		t.link(e)
	}
	if e.level < learned && t.Learned != nil {
		t.promote(e)
	}
	return &e.Value
}

// Peek returns the state of id and when it was last touched, without touching it.
func (t *Table[V]) Peek(id ID) (v *V, touched time.Time) {
	if e := t.entries[id]; e != nil {
		return &e.Value, e.touched
	}
	return nil, time.Time{}
}

// Add puts new state of the given size under id, which must not be in the table, and
// returns where the state now lies, or nil if there is no room for it. The owner is what
// room is shared between. A size over the whole limit is taken as the limit.
func (t *Table[V]) Add(id, owner ID, size Size, now time.Time, v V) *V {
	size = Size{min(size.Weight, t.limit.Weight), min(size.Bytes, t.limit.Bytes)}
	o, l := t.owners.of(owner), young
	if t.Learned != nil {
		l = levelOf(t.Learned(&v))
	}
	if !t.makeRoom(o, l, size, now) {
		return nil
	}
	e := &Entry[V]{id: id, owner: o, size: size, level: l, touched: now, Value: v}
	t.entries[id] = e
	t.size.Weight += size.Weight
	t.size.Bytes += size.Bytes
	t.link(e)
	t.owners.join(e)
	return &e.Value
}

// restPerKept is how long Age rests for each entry that it visits and keeps.
const restPerKept = time.Millisecond

// Age drops the entries whose time to live has passed since their last touch. After
// a visit to entries that their own time to live keeps, it does nothing for a while,
// in proportion to their number.
func (t *Table[V]) Age(now time.Time) {
	if t.ttl <= 0 || now.Before(t.rests) {
		return
	}
	rest := time.Duration(0)
	for e := t.ring.newer; e != &t.ring && now.Sub(e.touched) > t.ttl; {
		next := e.newer
		if t.TTL != nil && now.Sub(e.touched) <= t.TTL(&e.Value) {
			rest += restPerKept
		} else {
			t.drop(e)
		}
		e = next
	}
	t.rests = now.Add(rest)
}

// Len returns the number of entries, Weight the sum of their weights.
func (t *Table[V]) Len() int { return len(t.entries) }

// Weight returns the sum of the weights of all entries.
func (t *Table[V]) Weight() int { return t.size.Weight }

// Bytes returns the sum of the sizes of all entries in bytes.
func (t *Table[V]) Bytes() int { return t.size.Bytes }

// IDs returns the identities of all entries, in no order.
func (t *Table[V]) IDs() []ID {
	ids := make([]ID, 0, len(t.entries))
	for id := range t.entries {
		ids = append(ids, id)
	}
	return ids
}

// Idle yields the state that was last touched at or before the given time, and when, the longest untouched first.
func (t *Table[V]) Idle(since time.Time) iter.Seq2[*V, time.Time] {
	return func(yield func(*V, time.Time) bool) {
		for e := t.ring.newer; e != &t.ring && !e.touched.After(since); e = e.newer {
			if !yield(&e.Value, e.touched) {
				return
			}
		}
	}
}

// All yields every entry from the one longest untouched to the latest.
func (t *Table[V]) All() iter.Seq2[ID, *V] {
	return func(yield func(ID, *V) bool) {
		for e := t.ring.newer; e != &t.ring; e = e.newer {
			if !yield(e.id, &e.Value) {
				return
			}
		}
	}
}

// drop removes e, the caller having made sure that it is not the sentinel.
func (t *Table[V]) drop(e *Entry[V]) {
	t.unlink(e)
	e.older, e.newer = nil, nil
	t.owners.leave(e)
	delete(t.entries, e.id)
	t.size.Weight -= e.size.Weight
	t.size.Bytes -= e.size.Bytes
	if t.Dropped != nil {
		t.Dropped(e.id, &e.Value)
	}
}

// link puts e at the newest end: just before the sentinel.
func (t *Table[V]) link(e *Entry[V]) {
	e.newer, e.older = &t.ring, t.ring.older
	e.older.newer, t.ring.older = e, e
}

func (t *Table[V]) unlink(e *Entry[V]) {
	e.older.newer, e.newer.older = e.newer, e.older
}
