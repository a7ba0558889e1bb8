// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package calibration

import (
	"time"

	"github.com/auspex-otel/auspex/internal/state"
)

const (
	burstFrom = 8                  // nats from which a surprise is counted
	slot      = int64(time.Minute) // surprises in one slot belong together
)

// Bursts estimates the clustering of surprises, such as that of series with a common shock,
// by the index of dispersion: the variance of their count per slot over its mean. The zero
// value is empty.
type Bursts struct {
	now                 int64   // the present slot
	n                   float64 // surprises in it
	slots, sum, squares float64 // of the slots before it, forgotten
}

// Add adds the surprise, in nats, of a point at event time t in nanoseconds.
func (b *Bursts) Add(t int64, surprise float64) {
	if s := t / slot; s != b.now {
		b.slots++
		b.sum += b.n
		b.squares += float64(b.n * b.n)
		b.now, b.n = s, 0
	}
	if surprise > burstFrom {
		b.n++
	}
}

// Size returns the mean number of surprises that occur together, or 1 if they are independent: (E[n²] − E[n]²)/E[n].
func (b *Bursts) Size() float64 {
	if b.sum == 0 {
		return 1
	}
	return max(1, b.squares/b.sum-b.sum/b.slots)
}

// Forget multiplies all counts by f.
func (b *Bursts) Forget(f float64) {
	b.slots = float64(b.slots * f)
	b.sum = float64(b.sum * f)
	b.squares = float64(b.squares * f)
}

// State writes or reads the counts.
func (b *Bursts) State(c *state.Codec) {
	c.Int64(&b.now)
	for _, v := range [...]*float64{&b.n, &b.slots, &b.sum, &b.squares} {
		c.Float64(v)
		c.Check(*v >= 0 && *v <= largest)
	}
	c.Check(b.slots > 0 || b.sum == 0)
}

const largest = 1e30 // so that a ratio stays finite
