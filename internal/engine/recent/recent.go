// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package recent remembers the verdicts of the latest batches, so that a repeated batch gets the same verdicts.
package recent

import (
	"github.com/auspex-otel/auspex/internal/series"
	"github.com/auspex-otel/auspex/internal/state"
)

const (
	// Most is the maximum number of remembered batches.
	Most = 1024
	// mostVerdicts bounds the total number of their verdicts.
	mostVerdicts = 100_000
)

// Batches holds the verdicts of the latest batches by the key of each.
type Batches[V any] struct {
	verdicts map[series.ID][]V
	order    []series.ID
	total    int
}

// New returns an empty memory.
func New[V any]() *Batches[V] { return &Batches[V]{verdicts: map[series.ID][]V{}} }

// Get returns the verdicts of a batch, and whether it is remembered.
func (b *Batches[V]) Get(key series.ID) ([]V, bool) {
	v, ok := b.verdicts[key]
	return v, ok
}

// Persist writes or reads all batches, in the order in which they were put. verdict writes or reads one verdict of at
// least one byte.
func (b *Batches[V]) Persist(c *state.Codec, verdict func(*V)) {
	order := b.order
	state.List(c, &order, 12, func(key *series.ID) {
		c.Uint64((*uint64)(key))
		v, known := b.verdicts[*key]
		state.List(c, &v, 1, verdict)
		if c.Reading() {
			c.Check(!known)
			b.Put(*key, v)
		}
	})
}

// Put remembers the verdicts of a batch that is not remembered yet. It removes the oldest ones.
func (b *Batches[V]) Put(key series.ID, v []V) {
	b.verdicts[key] = v
	b.order = append(b.order, key)
	for b.total += len(v); len(b.order) > 1 && (len(b.order) > Most || b.total > mostVerdicts); b.order = b.order[1:] {
		b.total -= len(b.verdicts[b.order[0]])
		delete(b.verdicts, b.order[0])
	}
}
