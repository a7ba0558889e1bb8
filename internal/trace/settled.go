// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"maps"
	"slices"
)

// Settled returns a copy that counts all spans that have arrived, without waiting for further children. It is for
// Findings only: it yields no windows, and its use does not change the tracker.
func (t *Tracker) Settled() *Tracker {
	c := *t
	c.asked, c.items, c.freeOps, c.windows, c.edgeWins = true, nil, nil, nil, nil
	c.finishing = c.finish
	c.operations = make([]*operation, len(t.operations))
	for i, o := range t.operations {
		if o != nil {
			c.operations[i] = o.clone()
		}
	}
	c.edges, c.edgeOrder = make(map[[2]int32]*edge, len(t.edges)), make([]*edge, len(t.edgeOrder))
	for i, e := range t.edgeOrder {
		copied := *e
		c.edgeOrder[i], c.edges[[2]int32{e.caller, e.callee}] = &copied, &copied
	}
	c.join.index, c.join.spans, c.join.parts = maps.Clone(t.join.index), slices.Clone(t.join.spans), slices.Clone(t.join.parts)
	c.join.queue, c.join.freeSpans, c.join.fresh, c.join.intervals = slices.Clone(t.join.queue), slices.Clone(t.join.freeSpans), nil, nil
	c.join.settle(c.finishing)
	return &c
}

// clone copies what finished spans change. The baselines are shared, because only windows update them.
func (o *operation) clone() *operation {
	c := *o
	c.items = slices.Clone(o.items)
	for i := range c.ring {
		c.ring[i].ways = slices.Clone(o.ring[i].ways)
	}
	return &c
}
