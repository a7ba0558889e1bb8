// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package series

import (
	"iter"
	"math"
	"time"
)

// Table holds state by identity. It is bounded by a weight (the number of series of an entry) and
// by bytes. An entry that was not touched for its time to live, at least that of the table, is
// dropped at the next Age. It is not safe for concurrent use.
//
// Without Learned, a new entry replaces the one that was not touched for the longest time. With
// it, an entry never replaces one that has learned more: see room.go.
type Table[V any] struct {
	limit, size Size
	ttl         time.Duration
	rests       time.Time // until then Age does nothing
	entries     map[ID]*Entry[V]
	// ring is the sentinel of the entries in order of their last touch: ring.newer is the oldest.
	ring   Entry[V]
	owners owners[V]
	// Dropped, if set, is called for every entry that is removed by limit or age.
	Dropped func(ID, *V)
	// TTL, if set, returns the time to live of an entry. Values below the table's have no effect.
	TTL func(*V) time.Duration
	// Learned, if set, returns the number of points from which an entry has learned.
	Learned func(*V) uint64
	// Stale, if Learned is set, returns the silence after which any new entry may replace an
	// entry.
	Stale func(*V) time.Duration
}

// Entry holds the state of one identity in a table. It gives access without a look-up until the
// table drops it.
type Entry[V any] struct {
	older, newer  *Entry[V] // nil after it was dropped
	before, after *Entry[V] // neighbors in the list of its owner and level
	owner         *owner[V]
	id            ID
	size          Size
	level         level
	touched       time.Time
	Value         V
}

// Size is the space of an entry in a table.
type Size struct{ Weight, Bytes int }

// NewTable returns an empty table that holds at most limit weight and drops entries that were not
// touched for ttl. With a ttl of 0 or less, entries do not age. Bytes are not bounded until
// SetLimit.
func NewTable[V any](limit int, ttl time.Duration) *Table[V] {
	t := &Table[V]{limit: Size{limit, math.MaxInt}, ttl: ttl, entries: make(map[ID]*Entry[V]), owners: newOwners[V]()}
	t.ring.older, t.ring.newer = &t.ring, &t.ring
	return t
}

// Get returns the state of id, or nil, and marks it as touched at now.
func (t *Table[V]) Get(id ID, now time.Time) *V {
	if e := t.entries[id]; e != nil {
		return t.Touch(e, now)
	}
	return nil
}

// Find returns the entry of id, or nil, without touching it.
func (t *Table[V]) Find(id ID) *Entry[V] { return t.entries[id] }

// Live reports whether the entry is in its table.
func (e *Entry[V]) Live() bool { return e.newer != nil }

// Touch returns the state of an entry from Find, and marks it as touched at now. It returns nil
// if the entry was dropped.
func (t *Table[V]) Touch(e *Entry[V], now time.Time) *V {
	if !e.Live() {
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

// Peek returns the state of id and the time of its last touch, without touching it.
func (t *Table[V]) Peek(id ID) (v *V, touched time.Time) {
	if e := t.entries[id]; e != nil {
		return &e.Value, e.touched
	}
	return nil, time.Time{}
}

// Add adds state of the given size under id, which must not be in the table, and returns a
// pointer to it, or nil if there is no room. Room is shared between owners. A size above the
// limit counts as the limit.
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

// restPerKept is the pause of Age for each entry that it visits and keeps.
const restPerKept = time.Millisecond

// Age drops the entries whose time to live has passed since their last touch. After it has
// visited entries with a longer time to live, it pauses in proportion to their number.
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

// IDs returns the identities of all entries, unordered.
func (t *Table[V]) IDs() []ID {
	ids := make([]ID, 0, len(t.entries))
	for id := range t.entries {
		ids = append(ids, id)
	}
	return ids
}

// Idle yields states that were last touched at or before since, and the time, the longest
// untouched first.
func (t *Table[V]) Idle(since time.Time) iter.Seq2[*V, time.Time] {
	return func(yield func(*V, time.Time) bool) {
		for e := t.ring.newer; e != &t.ring && !e.touched.After(since); e = e.newer {
			if !yield(&e.Value, e.touched) {
				return
			}
		}
	}
}

// All yields every entry, the longest untouched first.
func (t *Table[V]) All() iter.Seq2[ID, *V] {
	return func(yield func(ID, *V) bool) {
		for e := t.ring.newer; e != &t.ring; e = e.newer {
			if !yield(e.id, &e.Value) {
				return
			}
		}
	}
}

// drop removes e, which must not be the sentinel.
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

// link inserts e as the newest, just before the sentinel.
func (t *Table[V]) link(e *Entry[V]) {
	e.newer, e.older = &t.ring, t.ring.older
	e.older.newer, t.ring.older = e, e
}

func (t *Table[V]) unlink(e *Entry[V]) {
	e.older.newer, e.newer.older = e.newer, e.older
}
