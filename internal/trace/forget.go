// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package trace

import "slices"

// forgetOldest removes the sixteenth of the operations that were unused longest, with their edges, so that it is
// rarely called.
func (t *Tracker) forgetOldest() {
	t.join.settle(t.finishing) // waiting spans must not refer to removed operations
	t.join = newJoin(t.cfg.Spans)
	var live []int32
	for i, o := range t.operations {
		if o != nil {
			live = append(live, int32(i))
		}
	}
	slices.SortStableFunc(live, func(a, b int32) int { return compare(t.operations[a].used, t.operations[b].used) })
	for _, i := range live[:max(1, len(live)/16)] {
		delete(t.index, t.operations[i].Operation)
		t.operations[i] = nil
		t.freeOps = append(t.freeOps, i)
		t.status.Forgotten++
	}
	t.dropEdges(func(e *edge) bool { return t.operations[e.caller] == nil || t.operations[e.callee] == nil })
}

func compare(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func (t *Tracker) dropEdges(gone func(*edge) bool) {
	t.edgeOrder = slices.DeleteFunc(t.edgeOrder, func(e *edge) bool {
		if !gone(e) {
			return false
		}
		delete(t.edges, [2]int32{e.caller, e.callee})
		t.status.Forgotten++
		return true
	})
}

// edge returns the edge of two operations, and creates it if necessary.
func (t *Tracker) edge(caller, callee int32) *edge {
	key := [2]int32{caller, callee}
	if e := t.edges[key]; e != nil {
		return e
	}
	if len(t.edges) >= t.cfg.Edges {
		used := make([]int64, 0, len(t.edgeOrder))
		for _, e := range t.edgeOrder {
			used = append(used, e.used)
		}
		slices.Sort(used)
		limit := used[len(used)/16]
		t.dropEdges(func(e *edge) bool { return e.used <= limit })
	}
	e := newEdge(caller, callee)
	t.edges[key] = e
	t.edgeOrder = append(t.edgeOrder, e)
	return e
}
