// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package replay

import (
	"cmp"
	"container/heap"
)

// Queue orders values by event time, and those of equal time by their place. It orders the files of a recording and
// the pieces of their batches.
type Queue[T any] struct{ heap entries[T] }

// Push adds a value at a time, in nanoseconds.
func (q *Queue[T]) Push(time int64, place int, value T) {
	heap.Push(&q.heap, entry[T]{time, place, value})
}

// Due reports whether the first value is at or before a time.
func (q *Queue[T]) Due(time int64) bool { return len(q.heap) > 0 && q.heap[0].time <= time }

// Pop removes and returns the first value. The queue must not be empty.
func (q *Queue[T]) Pop() T { return heap.Pop(&q.heap).(entry[T]).value }

// Len returns the number of values.
func (q *Queue[T]) Len() int { return len(q.heap) }

type entry[T any] struct {
	time  int64
	place int
	value T
}

// entries implements heap.Interface.
type entries[T any] []entry[T]

func (l entries[T]) Len() int { return len(l) }
func (l entries[T]) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(l[i].time, l[j].time), cmp.Compare(l[i].place, l[j].place)) < 0
}
func (l entries[T]) Swap(i, j int) { l[i], l[j] = l[j], l[i] }
func (l *entries[T]) Push(x any)   { *l = append(*l, x.(entry[T])) }
func (l *entries[T]) Pop() any {
	last := len(*l) - 1
	x := (*l)[last]
	(*l)[last] = entry[T]{} // release the value
	*l = (*l)[:last]
	return x
}
