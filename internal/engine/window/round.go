// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package window

import (
	"github.com/auspex-otel/auspex/internal/engine/clock"
	"github.com/auspex-otel/auspex/internal/state"
)

// leastRound is the least time that a round lasts, nanoseconds.
const leastRound = int64(60e9)

// Round counts, over one round of a service's series, the points that lie outside their
// prediction interval: a fault that is too weak to see in any one series may be wide. A round has as
// many points as the service has series, and lasts a minute at least.
type Round struct {
	Since           int64 // event time at which the round began, 0 before the first point
	Judged, Outside int
	Due             bool // the round is over; no part of the state
}

// Add counts a point at event time t. It reports whether the round is over, which it is
// once it has had so many points.
func (g *Round) Add(t int64, outside bool, points int) (over bool) {
	if g.Since == 0 || t < g.Since-int64(clock.Tolerance) { // the first one, or the clock was set back
		*g = Round{Since: t, Due: g.Due}
	}
	g.Judged++
	if outside {
		g.Outside++
	}
	if g.Due || g.Judged < points || t-g.Since < leastRound {
		return false
	}
	g.Due = true
	return true
}

// Persist writes or reads the round.
func (g *Round) Persist(c *state.Codec) {
	c.Int64(&g.Since)
	c.Int(&g.Judged)
	c.Int(&g.Outside)
}
