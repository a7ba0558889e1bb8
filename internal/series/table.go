// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package series

import (
	"iter"
	"time"
)

// Table holds state by identity. It is bounded by a weight (the number of
// series that an entry stands for) and ages: an entry that was not touched for
// the table's time to live, and its own if that is longer, goes at the next Age. Over the limit the entry that has gone
// untouched the longest goes first. It is not safe for concurrent use.
type Table[V any] struct {
	limit   int
	ttl     time.Duration
	weight  int
	rests   time.Time // until then nothing ages
	entries map[ID]*Entry[V]
	// ring is the sentinel of the entries in the order of their last touch: ring.newer is the oldest.
	ring Entry[V]
	// Dropped, if set, is told of every entry that leaves by limit or age.
	Dropped func(ID, *V)
	// TTL, if set, returns the time to live of one entry. Values below the table's have no effect.
	TTL func(*V) time.Duration
}

// Entry is where a table keeps the state of one identity. It leads there without
// another look-up, for as long as the table has it.
type Entry[V any] struct {
	older, newer *Entry[V] // nil once it has left the table
	id           ID
	weight       int
	touched      time.Time
	Value        V
}

// NewTable returns an empty table that holds at most limit weight and drops what
// was not touched for ttl. A ttl of 0 or less means that nothing ages.
func NewTable[V any](limit int, ttl time.Duration) *Table[V] {
	t := &Table[V]{limit: limit, ttl: ttl, entries: make(map[ID]*Entry[V])}
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
	return &e.Value
}

// Peek returns the state of id and when it was last touched, without touching it.
func (t *Table[V]) Peek(id ID) (v *V, touched time.Time) {
	if e := t.entries[id]; e != nil {
		return &e.Value, e.touched
	}
	return nil, time.Time{}
}

// Add puts new state of the given weight under id, which must not be in the
// table, makes room for it, and returns where the state now lies. A weight over
// the whole limit is taken as the limit.
func (t *Table[V]) Add(id ID, weight int, now time.Time, v V) *V {
	weight = min(weight, t.limit)
	for t.weight+weight > t.limit {
		t.drop(t.ring.newer)
	}
	e := &Entry[V]{id: id, weight: weight, touched: now, Value: v}
	t.entries[id] = e
	t.weight += weight
	t.link(e)
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
func (t *Table[V]) Weight() int { return t.weight }

// IDs returns the identities of all entries, in no order.
func (t *Table[V]) IDs() []ID {
	ids := make([]ID, 0, len(t.entries))
	for id := range t.entries {
		ids = append(ids, id)
	}
	return ids
}

// Idle yields the state that was last touched at or before the given time, the longest untouched first.
func (t *Table[V]) Idle(since time.Time) iter.Seq[*V] {
	return func(yield func(*V) bool) {
		for e := t.ring.newer; e != &t.ring && !e.touched.After(since); e = e.newer {
			if !yield(&e.Value) {
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
	delete(t.entries, e.id)
	t.weight -= e.weight
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
