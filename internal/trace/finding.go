// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"slices"

	"github.com/auspex-otel/auspex/internal/exact"
)

// Aspect is the kind of a behavior change.
type Aspect uint8

// Aspects.
const (
	// Behavior: an operation has a new behavior, or no longer has one that it always had.
	Behavior Aspect = iota + 1
	// Mix: a previous behavior is more frequent, and another less.
	Mix
	// SelfTime: the operation takes longer, without its children.
	SelfTime
	// Network: calls spend more time between client and server.
	Network
)

// Finding is one behavior change of an operation since a time.
type Finding struct {
	Aspect
	Operation
	Callee Operation // only for Network
	// Surprise is -ln p of the most surprising test of this operation and aspect, corrected for the number of tests.
	// If it is negative, there is no change.
	Surprise float64
	// Item appears (Up) or is missing: a child operation, a log template, or the error status.
	Item     Item
	Up       bool
	Failed   bool    // the affected spans are those that failed
	Expected float64 // share of spans, or seconds
	Observed float64
	Count    float64 // of spans since then
	Since    int64   // start of the first such span, in steps of ten seconds
	// Callees are the services and peers that the operation calls, directly or through others of its own service.
	Callees []string
	// Peer is the direct callee of the operation, if the callee sends no spans.
	Peer Peer
}

// Item is an event in a span. The zero value is a combination of several.
type Item struct {
	Failed    bool
	Operation Operation
	Template  uint64
	Least     int // minimum number of occurrences
}

// Findings calls yield for the behavior changes of operations between two times, against their baselines, in the
// order in which operations were learned. The times must be at most four minutes in the past.
func (t *Tracker) Findings(from, until int64, yield func(*Finding)) {
	first, last := slotOf(from), slotOf(until)+1
	byHash := make(map[uint64]int32, len(t.operations))
	for i, o := range t.operations {
		if o != nil {
			byHash[o.hash] = int32(i)
		}
	}
	callees := t.callees()
	for i, o := range t.operations {
		if o == nil {
			continue
		}
		self, ways := o.between(first, last)
		if ways.n > 0 {
			t.behaviors(int32(i), &ways, first, last, byHash, callees, yield)
		}
		if self.n > 0 && o.self.base.n > 0 {
			yield(&Finding{
				Aspect: SelfTime, Operation: o.Operation, Peer: t.peer(int32(i), callees), Surprise: o.self.surprise(self), Up: true, Count: self.n,
				Expected: seconds(o.self.base), Observed: seconds(self), Since: o.since(first, last, func(s *slot) bool { return o.self.z(s.self) > 1 }),
			})
		}
	}
	for _, e := range t.edgeOrder {
		net := e.between(first, last)
		if net.n == 0 || e.net.base.n == 0 {
			continue
		}
		yield(&Finding{
			Aspect: Network, Operation: t.operations[e.caller].Operation, Callee: t.operations[e.callee].Operation,
			Surprise: e.net.surprise(net), Up: true, Count: net.n, Expected: seconds(e.net.base), Observed: seconds(net), Since: e.since(first, last),
		})
	}
}

func seconds(v sums) float64 {
	if v.n == 0 {
		return 0
	}
	return max(0, exact.Exp(v.s/v.n)-floorTime) / 1e9
}

// behaviors yields the most surprising change of behavior and of mix.
func (t *Tracker) behaviors(i int32, ways *counts, first, last int64, byHash map[uint64]int32, callees map[int32][]int32, yield func(*Finding)) {
	o := t.operations[i]
	var worst [2]change
	tests := o.mix.changes(ways, o.sets(), func(c change) {
		kind := 1
		if c.novel {
			kind = 0
		}
		if c.surprise > worst[kind].surprise {
			worst[kind] = c
		}
	})
	for kind, c := range worst {
		surprise := c.surprise - exact.Log(float64(tests))
		if c.surprise == 0 || surprise <= 0 {
			continue
		}
		f := &Finding{
			Aspect: Behavior, Operation: o.Operation, Surprise: surprise, Up: c.up, Count: c.n, Expected: c.k0 / c.n0, Observed: c.k / c.n,
			Callees: t.reach(i, byHash, callees), Peer: t.peer(i, callees), Since: o.since(first, last, func(s *slot) bool { return s.shows(&c, &o.mix.base) }),
		}
		if kind == 1 {
			f.Aspect = Mix
		}
		if o.sets() {
			f.Failed = c.up && c.key>>bitFailed&1 != 0
		}
		switch {
		case c.bit >= 0:
			f.Item = t.item(o, c.bit, byHash)
		case !o.sets():
			f.Item = Item{Template: c.key}
		}
		yield(f)
	}
}

// shows reports whether a slot has spans that show a change.
func (s *slot) shows(c *change, base *counts) bool {
	for _, w := range s.ways {
		if c.bit >= 0 {
			if w.key>>c.bit&1 != 0 == c.up {
				return true
			}
			continue
		}
		if _, known := base.of(w.key); w.key == c.key || !known {
			return true
		}
	}
	return false
}

func (t *Tracker) item(o *operation, bit int, byHash map[uint64]int32) Item {
	if bit == bitFailed {
		return Item{Failed: true}
	}
	if bit-firstItem >= len(o.items) {
		return Item{}
	}
	hash, times := o.items[bit-firstItem], 0
	for level := range manyOf { // an item with a count includes those with lower counts
		if slices.Contains(o.items, hash-levelStep) {
			hash, times = hash-levelStep, level+1
		}
	}
	if child, ok := byHash[hash]; ok {
		return Item{Operation: t.operations[child].Operation, Least: manyOf[min(times, len(manyOf)-1)]}
	}
	return Item{Template: hash, Least: manyOf[min(times, len(manyOf)-1)]}
}

// since returns the start of the first slot for which is returns true, in nanoseconds of event time.
func (o *operation) since(first, last int64, is func(*slot) bool) int64 {
	for number := first; number < last; number++ {
		if s := &o.ring[place(number)]; s.number == number && is(s) {
			return number * slotLength
		}
	}
	return first * slotLength
}

func (e *edge) since(first, last int64) int64 {
	for number := first; number < last; number++ {
		if c := &e.ring[place(number)]; c.number == number && e.net.z(c.sums) > 1 {
			return number * slotLength
		}
	}
	return first * slotLength
}

// callees returns, for each operation, the operations of other services that it calls.
func (t *Tracker) callees() map[int32][]int32 {
	m := map[int32][]int32{}
	for _, e := range t.edgeOrder {
		m[e.caller] = append(m[e.caller], e.callee)
	}
	return m
}

// peer returns the callee of an operation, or the zero value if the callee sends spans.
func (t *Tracker) peer(i int32, callees map[int32][]int32) Peer {
	if len(callees[i]) > 0 {
		return Peer{}
	}
	return t.operations[i].peer
}

// Peer returns the callee of an operation, or the zero value if it is unknown or sends spans.
func (t *Tracker) Peer(op Operation) Peer {
	if i, ok := t.index[op]; ok {
		return t.peer(i, t.callees())
	}
	return Peer{}
}

// reach returns the services and peers that an operation calls, directly or through others of its own service.
func (t *Tracker) reach(from int32, byHash map[uint64]int32, callees map[int32][]int32) (services []string) {
	seen, found := map[int32]bool{from: true}, map[string]bool{}
	add := func(name string) {
		if name != "" && !found[name] {
			found[name] = true
			services = append(services, name)
		}
	}
	own := t.operations[from].Service
	for todo := []int32{from}; len(todo) > 0; todo = todo[1:] {
		for _, c := range callees[todo[0]] {
			add(t.operations[c].Service)
		}
		add(t.peer(todo[0], callees).Name)
		for _, item := range t.operations[todo[0]].items {
			if c, ok := byHash[item]; ok && !seen[c] && t.operations[c].Service == own {
				seen[c] = true
				todo = append(todo, c)
			}
		}
	}
	return services
}

// Call is a pair of operations of two services. The first calls the second.
type Call struct {
	Caller, Callee Operation
	Calls          uint64
	Network        int64 // nanoseconds between client and server
	Used           int64
}

// Calls yields the calls since the last time, and the called peers that send no spans.
func (t *Tracker) Calls(call func(Call), peer func(Operation, Peer, uint64, int64)) {
	for _, e := range t.edgeOrder {
		if e.calls > 0 {
			call(Call{t.operations[e.caller].Operation, t.operations[e.callee].Operation, e.calls, e.time, e.used})
			e.calls, e.time = 0, 0
		}
	}
	for _, o := range t.operations {
		if o != nil && o.calls > 0 {
			if o.peer.Name != "" {
				peer(o.Operation, o.peer, o.calls, o.used)
			}
			o.calls = 0
		}
	}
}
