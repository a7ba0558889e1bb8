// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package flat

import (
	"math"

	"github.com/auspex-otel/auspex/internal/state"
)

const (
	gain       = 1.0 / 1024 // of the share of repeats
	enoughNats = 30         // a run that lasts is no more news than one that has begun
	forget     = 0.9998     // of the longest run, at each point
	enough     = 200        // points before anything is said
	most       = 0.9999     // a series whose share of repeats is this or more stands still by nature
	sure       = 2          // a run counts from this many times the longest known on,
	spare      = 24         // and this many more
)

// Line watches how long a series stays at exactly one value. The zero value has seen nothing.
type Line struct {
	last    float64
	repeats float64 // forgetting share of points that repeat the one before
	longest float64 // the longest run of repeats but the present one, slowly forgotten
	run     uint32  // repeats so far
	seen    uint32  // points, up to enough
	settled bool    // the present run has been accepted as normal
}

// Observe takes v in and returns, in nats, how unlikely the present run of
// repeats is: ln 1/q for each repeat beyond the longest run known, q being the
// share of points that repeat the one before.
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
	beyond := float64(l.run) - sure*l.longest - spare
	q := min(most, l.repeats+1.0/enough)
	l.repeats += max(gain, 1/float64(l.seen+1)) * (repeat - l.repeats)
	l.longest *= forget
	if l.seen < enough {
		l.seen++
		return 0
	}
	if beyond <= 0 || q == most || l.settled {
		return 0
	}
	return min(enoughNats, -beyond*math.Log(q))
}

// Accept makes the present run normal: it is no longer reported.
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
