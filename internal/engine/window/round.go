// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package window

import (
	"github.com/auspex-otel/auspex/internal/engine/clock"
	"github.com/auspex-otel/auspex/internal/state"
)

// leastRound is the least time that a round lasts, nanoseconds.
const leastRound = int64(60e9)

// Round counts the points outside their prediction interval over one round of a service's series. It detects wide
// faults that are too weak to detect in a single series. A round has as many points as the service has series, and
// lasts at least a minute.
type Round struct {
	Since           int64 // event time of the start of the round, 0 before the first point
	Judged, Outside int
	Due             bool // the round is over
}

// Add counts a point at event time t. It reports whether the round is over, that is, has at least the given number of
// points.
func (g *Round) Add(t int64, outside bool, points int) (over bool) {
	if g.Since == 0 || t < g.Since-int64(clock.Tolerance) { // the first point, or the clock was set back
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
	if c.Complete() {
		c.Bool(&g.Due)
	}
}
