// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package greatest collects the greatest of many values.
package greatest

import (
	"container/heap"
	"slices"
)

// Values holds the greatest values so far. Use New.
type Values[T any] struct{ kept kept[T] }

// kept is a heap with the least value first.
type kept[T any] struct {
	list    []T
	limit   int
	compare func(a, b T) int
}

// New returns an empty collection of at most limit values in the order of compare.
func New[T any](limit int, compare func(a, b T) int) *Values[T] {
	return &Values[T]{kept[T]{limit: limit, compare: compare}}
}

// Offer adds a value if it is among the greatest.
func (v *Values[T]) Offer(x T) {
	k := &v.kept
	switch {
	case len(k.list) < k.limit:
		heap.Push(k, x)
	case len(k.list) > 0 && k.compare(x, k.list[0]) > 0:
		k.list[0] = x
		heap.Fix(k, 0)
	}
}

// Sorted returns the values in descending order.
func (v *Values[T]) Sorted() []T {
	list := slices.Clone(v.kept.list)
	slices.SortFunc(list, func(a, b T) int { return v.kept.compare(b, a) })
	return list
}

func (k *kept[T]) Len() int           { return len(k.list) }
func (k *kept[T]) Less(i, j int) bool { return k.compare(k.list[i], k.list[j]) < 0 }
func (k *kept[T]) Swap(i, j int)      { k.list[i], k.list[j] = k.list[j], k.list[i] }
func (k *kept[T]) Push(x any)         { k.list = append(k.list, x.(T)) }
func (k *kept[T]) Pop() any           { panic("the heap only grows and replaces") }
