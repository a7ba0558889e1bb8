// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package window

import (
	"math"

	"github.com/auspex-otel/auspex/internal/exact"
	"github.com/auspex-otel/auspex/internal/state"
	"github.com/auspex-otel/auspex/internal/stats"
)

const (
	// callsWarmUp is the number of calls before individual calls are judged.
	callsWarmUp = 500
	// callsRefit is the number of calls between two fits of the tail of durations.
	callsRefit = 64
)

// Calls learns the duration of the calls of one operation, and the share of failures. Use NewCalls.
type Calls struct {
	Failed    Share // of the windows before the open one
	weight    stats.Weight
	durations stats.Positive
	known     uint32 // calls, up to a bound
}

// NewCalls returns a Calls without data.
func NewCalls() Calls { return Calls{durations: stats.NewPositive()} }

// Judge returns the surprise, in nats, of a call of the given duration, and that of a failure, which is 0 if the call
// does not fail. Both are 0 during warm-up.
func (c *Calls) Judge(seconds float64, failed bool) (slow, failure float64) {
	if c.known < callsWarmUp {
		return 0, 0
	}
	p, slow := c.durations.P(seconds, c.weight.Unit())
	if slow == 0 {
		slow = -exact.Log(p)
	}
	if failed {
		failure = c.Failed.Exact(1, 1)
	}
	return slow, failure
}

// Learn adds the duration of one call.
func (c *Calls) Learn(seconds float64) {
	if c.weight.Next() {
		c.durations.Halve()
	}
	unit := c.weight.Unit()
	c.durations.Add(seconds, unit, 1)
	if c.known < math.MaxUint32 {
		c.known++
	}
	if c.known%callsRefit == 0 || c.known == callsWarmUp {
		c.durations.Fit(unit)
	}
}

// Persist writes or reads the state.
func (c *Calls) Persist(codec *state.Codec) {
	c.Failed.Persist(codec)
	codec.Uint32(&c.known)
	c.weight.State(codec)
	c.durations.State(codec)
}
