// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"math"
	"strings"
	"time"
)

// Tracker learns from spans. It is not safe for concurrent use. Use New.
type Tracker struct {
	cfg        Config
	join       join
	index      map[Operation]int32
	operations []*operation // nil for removed ones
	freeOps    []int32
	edges      map[[2]int32]*edge
	edgeOrder  []*edge // in the order of learning: maps have none
	now        int64   // the latest event time
	learned    int64   // the first slot that the baselines have not learned
	windows    []Window
	edgeWins   []EdgeWindow
	status     Status
	finishing  func(*pending)
	items      []uint64 // scratch
	asked      bool     // a copy for queries, which yields no windows
}

// Status holds counters.
type Status struct {
	Spans, Repeated, Late, Forgotten uint64
	Operations, Edges, Waiting       int
}

// New returns an empty Tracker.
func New(cfg Config) *Tracker {
	t := &Tracker{cfg: cfg}
	t.reset()
	return t
}

// reset removes all state.
func (t *Tracker) reset() {
	*t = Tracker{
		cfg: t.cfg, join: newJoin(t.cfg.Spans), index: map[Operation]int32{},
		edges: map[[2]int32]*edge{}, now: math.MinInt64, learned: math.MinInt64,
	}
	t.finishing = t.finish
}

// Observe adds a span. It keeps strings only for new operations.
func (t *Tracker) Observe(s *Span) {
	t.status.Spans++
	t.advance(s.End)
	op := t.operation(Operation{cut(s.Service), cut(s.Name), s.Kind})
	o := t.operations[op]
	o.used = max(o.used, s.End)
	if o.peer.Name == "" && s.Peer.Name != "" {
		o.peer = Peer{strings.Clone(cut(s.Peer.System)), strings.Clone(cut(s.Peer.Name))}
	}
	i := t.join.at(keyOf(s.Trace, s.ID), t.now, t.finishing)
	p := &t.join.spans[i]
	if p.operation != none {
		t.status.Repeated++
		return
	}
	p.operation, p.start, p.end, p.failed = op, s.Start, max(s.Start, s.End), s.Error
	if s.Parent != [8]byte{} && s.Parent != s.ID {
		parent := t.join.at(keyOf(s.Trace, s.Parent), t.now, t.finishing)
		t.join.attach(parent, part{item: o.hash, start: s.Start, end: max(s.Start, s.End), operation: op, kind: s.Kind})
	}
}

// Log adds a log line within a span.
func (t *Tracker) Log(trace [16]byte, span [8]byte, template uint64, at int64) {
	t.advance(at)
	i := t.join.at(keyOf(trace, span), t.now, t.finishing)
	if !t.join.has(i, template, at) { // otherwise it was sent twice
		t.join.attach(i, part{item: template, operation: none, start: at})
	}
}

// Line adds a log line of a service, within a span or not. The templates of a service form a mix, too.
func (t *Tracker) Line(service string, template uint64, at int64) {
	t.advance(at)
	i := t.operation(Operation{Service: cut(service)})
	o := t.operations[i]
	o.used = max(o.used, at)
	if s := o.slot(slotOf(at)); s != nil && s.number >= t.learned {
		s.add(template)
	}
}

// Advance advances event time after a batch: it finishes waiting spans, and closes and learns windows.
//
// Spans wait from the end of the batch that contains them, because a batch may contain a minute of one resource after
// a minute of another.
func (t *Tracker) Advance(now int64) {
	t.advance(now)
	t.join.restamp(t.now)
	t.join.expire(t.now-int64(t.cfg.Hold), t.finishing)
	t.closeWindows(t.now - int64(t.cfg.Hold))
}

func (t *Tracker) advance(now int64) {
	if now <= t.now {
		return
	}
	t.now = now
	// Windows are learned once their last slot is lagSlots in the past.
	until := slotOf(now) - lagSlots
	until -= mod(until, windowSlots)
	if t.learned == math.MinInt64 {
		t.learned = until - ringSlots
	}
	if until <= t.learned {
		return
	}
	// After a gap, the data is in the ring that begins where learning ended.
	for first := t.learned; first < min(until, t.learned+ringSlots+windowSlots); first += windowSlots {
		for _, o := range t.operations {
			if o != nil {
				o.learn(first)
			}
		}
		for _, e := range t.edgeOrder {
			e.learn(first)
		}
	}
	t.learned = until
}

func mod(a, b int64) int64 { return (a%b + b) % b }

// notMeasured is the self time of a span that waits for another service.
const notMeasured = -1

// finish counts a span after its children have come.
func (t *Tracker) finish(p *pending) {
	o := t.operations[p.operation]
	number := slotOf(p.start)
	s := o.slot(number)
	if number < t.learned || s == nil {
		t.status.Late++
		return
	}
	var way uint64
	if p.failed {
		way = 1 << bitFailed
	}
	remote := false
	items := t.items[:0]
	for n := p.first; n != none; n = t.join.parts[n].next {
		c := &t.join.parts[n]
		items = append(items, c.item)
		if c.operation != none && t.operations[c.operation].Service != o.Service {
			remote = true
			t.called(p, c, number)
		}
	}
	t.items = items
	s.add(way | o.way(items))
	self := t.join.self(p)
	if remote { // it is the time of the network and of the other service
		self = notMeasured
	} else {
		s.self.add(logOf(self))
	}
	o.calls++
	if !t.asked {
		t.count(o, p, self)
	}
}

// called counts a call from one service to another. A call that continues after its caller's end, or was queued, is
// asynchronous: no caller waits for it.
func (t *Tracker) called(p *pending, c *part, number int64) {
	e := t.edge(p.operation, c.operation)
	if e == nil {
		return
	}
	e.calls++
	e.used = max(e.used, c.end)
	net := (p.end - p.start) - (c.end - c.start)
	if net < 0 || c.kind == KindConsumer || c.start >= p.end {
		return
	}
	e.time += net
	slot := &e.ring[place(number)]
	if slot.number < number {
		*slot = cell{number: number}
	}
	if slot.number == number {
		slot.add(logOf(net))
	}
	if !t.asked {
		t.countEdge(e, p.start, net)
	}
}

// operation returns the index of an operation, and creates it if necessary.
func (t *Tracker) operation(op Operation) int32 {
	if i, ok := t.index[op]; ok {
		return i
	}
	if len(t.index) >= t.cfg.Operations {
		t.forgetOldest()
	}
	op.Service, op.Name = strings.Clone(op.Service), strings.Clone(op.Name)
	o := newOperation(op)
	i := int32(len(t.operations))
	if last := len(t.freeOps) - 1; last >= 0 {
		i, t.freeOps = t.freeOps[last], t.freeOps[:last]
		t.operations[i] = o
	} else {
		t.operations = append(t.operations, o)
	}
	t.index[op] = i
	return i
}

// cut limits the length of a name.
func cut(name string) string { return name[:min(len(name), maxName)] }

// Status returns the counters.
func (t *Tracker) Status() Status {
	s := t.status
	s.Operations, s.Edges, s.Waiting = len(t.index), len(t.edges), len(t.join.index)
	return s
}

// Hold returns the time for which spans wait for their children.
func (t *Tracker) Hold() time.Duration { return t.cfg.Hold }
