// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package ensemble

import (
	"github.com/auspex-otel/auspex/internal/exact"
	"github.com/auspex-otel/auspex/internal/state"
)

const (
	ownMemory = 20000 // points
	ownWeight = 6     // weight of the table, in surprising points
	ownMost   = 6     // nats
)

// ownLevels lists the surprises, in nats, whose frequency is compared with the table.
var ownLevels = [...]float64{3.5, 7}

// own counts the surprises of one series beyond two levels. The table is computed from noise. A series whose views
// depend on each other exceeds a level more often than the table states.
type own struct {
	n     float32
	count [len(ownLevels)]float32
}

// corrected returns the surprise minus its excess.
func (o *own) corrected(nats float64) float64 {
	if nats <= ownLevels[0] {
		return nats
	}
	low, high := o.excess(0), o.excess(1)
	share := min(1, (nats-ownLevels[0])/(ownLevels[1]-ownLevels[0]))
	return max(ownLevels[0], nats-low-float64(share*max(0, high-low)))
}

// learn counts a surprise.
func (o *own) learn(nats float64) {
	if o.n++; o.n > ownMemory {
		o.n = float32(o.n * 0.5)
		for k := range o.count {
			o.count[k] = float32(o.count[k] * 0.5)
		}
	}
	for k, level := range ownLevels {
		if nats > level {
			o.count[k]++
		}
	}
}

// excess returns the excess of surprises at a level, in nats, or 0.
func (o *own) excess(k int) float64 {
	expected := float64(float64(o.n) * exact.Exp(-ownLevels[k]))
	return max(0, min(ownMost, exact.Log((float64(o.count[k])+ownWeight)/(expected+ownWeight))))
}

func (o *own) state(c *state.Codec) {
	c.Float32(&o.n)
	c.Check(o.n >= 0 && o.n <= ownMemory)
	for k := range o.count {
		c.Float32(&o.count[k])
		c.Check(o.count[k] >= 0 && o.count[k] <= o.n)
	}
}
