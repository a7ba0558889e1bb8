// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// spanKey identifies a span. Trace and span ids are random, so half of the trace id is sufficient to distinguish
// equal span ids of two traces.
type spanKey struct{ trace, span uint64 }

func keyOf(trace [16]byte, span [8]byte) spanKey {
	return spanKey{binary.LittleEndian.Uint64(trace[8:]), binary.LittleEndian.Uint64(span[:])}
}

// none ends a list.
const none = int32(-1)

// pending is a span that waits for its children or, while operation is none, the parts of a span that has not
// arrived.
type pending struct {
	key        spanKey
	start, end int64
	latest     int64 // event time of its latest part
	operation  int32
	first      int32 // of its list of parts
	failed     bool
}

// part is a child of a span, or a log line in it.
type part struct {
	item       uint64
	start, end int64
	operation  int32 // none for a log line
	kind       Kind
	next       int32
}

// join holds spans for a short time. It allocates its memory once.
type join struct {
	index     map[spanKey]int32
	spans     []pending
	freeSpans []int32
	parts     []part
	freePart  int32 // list
	queue     []int32
	fresh     []int32 // spans with new parts since the last restamp
	head      int     // of queue
	limit     int
	intervals []interval
}

type interval struct{ start, end int64 }

func newJoin(limit int) join {
	return join{index: map[spanKey]int32{}, freePart: none, limit: limit}
}

// at returns the index of a span, whether it has arrived or not. It may have to finish the oldest span.
func (j *join) at(key spanKey, now int64, finish func(*pending)) int32 {
	if i, ok := j.index[key]; ok {
		if j.spans[i].latest < now {
			j.spans[i].latest = now
			j.fresh = append(j.fresh, i)
		}
		return i
	}
	if len(j.index) >= j.limit {
		j.pop(finish)
	}
	var i int32
	if last := len(j.freeSpans) - 1; last >= 0 {
		i = j.freeSpans[last]
		j.freeSpans = j.freeSpans[:last]
	} else {
		i = int32(len(j.spans))
		j.spans = append(j.spans, pending{})
	}
	j.spans[i] = pending{key: key, latest: now, operation: none, first: none}
	j.index[key] = i
	j.queue = append(j.queue, i)
	j.fresh = append(j.fresh, i)
	return i
}

// restamp sets the time of the latest part of the fresh spans.
func (j *join) restamp(now int64) {
	for _, i := range j.fresh {
		j.spans[i].latest = max(j.spans[i].latest, now)
	}
	j.fresh = j.fresh[:0]
}

// attach adds a part to a span, unless it has too many.
func (j *join) attach(i int32, p part) {
	n := j.freePart
	if n != none {
		j.freePart = j.parts[n].next
	} else {
		if len(j.parts) >= 4*j.limit {
			return
		}
		n = int32(len(j.parts))
		j.parts = append(j.parts, part{})
	}
	p.next = j.spans[i].first
	j.parts[n] = p
	j.spans[i].first = n
}

// has reports whether a line is already attached to a span.
func (j *join) has(i int32, item uint64, at int64) bool {
	for n := j.spans[i].first; n != none; n = j.parts[n].next {
		if p := &j.parts[n]; p.operation == none && p.item == item && p.start == at {
			return true
		}
	}
	return false
}

// pop finishes the oldest span.
func (j *join) pop(finish func(*pending)) {
	i := j.queue[j.head]
	j.head++
	if j.head > 1024 && 2*j.head > len(j.queue) {
		j.queue = append(j.queue[:0], j.queue[j.head:]...)
		j.head = 0
	}
	j.remove(i, finish)
}

// remove finishes a span and frees its memory.
func (j *join) remove(i int32, finish func(*pending)) {
	p := &j.spans[i]
	if p.operation != none {
		finish(p)
	}
	for n := p.first; n != none; {
		next := j.parts[n].next
		j.parts[n].next, j.freePart = j.freePart, n
		n = next
	}
	delete(j.index, p.key)
	p.first = none
	j.freeSpans = append(j.freeSpans, i)
}

// expire finishes spans without new parts since a time.
func (j *join) expire(before int64, finish func(*pending)) {
	for j.head < len(j.queue) && j.spans[j.queue[j.head]].latest < before {
		j.pop(finish)
	}
}

// settle finishes all spans that have arrived. Parents that are known only from their children remain.
func (j *join) settle(finish func(*pending)) {
	waiting := j.queue[j.head:]
	j.queue, j.head = nil, 0
	for _, i := range waiting {
		if j.spans[i].operation == none {
			j.queue = append(j.queue, i)
		} else {
			j.remove(i, finish)
		}
	}
}

// self returns the time of a span that its children do not cover.
func (j *join) self(p *pending) int64 {
	list := j.intervals[:0]
	for n := p.first; n != none; n = j.parts[n].next {
		if c := &j.parts[n]; c.operation != none {
			if s, e := max(c.start, p.start), min(c.end, p.end); s < e {
				list = append(list, interval{s, e})
			}
		}
	}
	j.intervals = list
	if len(list) > 1 {
		slices.SortFunc(list, func(a, b interval) int { return cmp.Compare(a.start, b.start) })
	}
	covered, at := int64(0), p.start
	for _, i := range list {
		if from := max(at, i.start); i.end > from {
			covered += i.end - from
			at = i.end
		}
	}
	return max(0, p.end-p.start-covered)
}
