// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package flat

import (
	"github.com/auspex-otel/auspex/internal/exact"
	"github.com/auspex-otel/auspex/internal/state"
)

const (
	gain       = 1.0 / 1024 // of the share of repeats
	enoughNats = 30         // maximum, because a run that continues is no more news than one that has begun
	forget     = 0.9998     // decay of the longest run, per point
	enough     = 200        // points before a surprise is returned
	most       = 0.9999     // a series with at least this share of repeats stands still by nature
	sure       = 2          // a run counts from this factor of the longest known run,
	spare      = 24         // plus this number
)

// Line tracks how long a series stays at exactly one value. The zero value is empty.
type Line struct {
	last    float64
	repeats float64 // decaying share of points that repeat the previous one
	longest float64 // the longest earlier run of repeats, slowly decaying
	run     uint32  // repeats in the present run
	seen    uint32  // points, up to enough
	settled bool    // the present run has been accepted as normal
}

// Observe adds v and returns the surprise of the present run of repeats in nats: ln 1/q for each repeat beyond the
// longest known run, where q is the share of points that repeat the previous one.
func (l *Line) Observe(v float64) float64 {
	if l.seen > 0 && v == l.last {
		l.run++
	} else {
		l.longest = max(l.longest, float64(l.run))
		l.run, l.settled = 0, false
	}
	l.last = v
	repeat := 0.0
	if l.run > 0 {
		repeat = 1
	}
	beyond := float64(l.run) - float64(sure*l.longest) - spare
	q := min(most, l.repeats+1.0/enough)
	l.repeats += float64(max(gain, 1/float64(l.seen+1)) * (repeat - l.repeats))
	l.longest = float64(l.longest * forget)
	if l.seen < enough {
		l.seen++
		return 0
	}
	if beyond <= 0 || q == most || l.settled {
		return 0
	}
	return min(enoughNats, float64(-beyond*exact.Log(q)))
}

// Accept makes the present run normal, so that it gives no surprise.
func (l *Line) Accept() { l.settled = true }

// State writes or reads the line.
func (l *Line) State(c *state.Codec) {
	c.Float64(&l.last)
	c.Float64(&l.repeats)
	c.Float64(&l.longest)
	c.Uint32(&l.run)
	c.Uint32(&l.seen)
	c.Bool(&l.settled)
	c.Check(l.repeats >= 0 && l.repeats <= 1 && l.longest >= 0 && l.seen <= enough)
}
