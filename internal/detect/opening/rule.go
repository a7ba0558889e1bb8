// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package opening

import "github.com/auspex-otel/auspex/internal/state"

const (
	// Cooldown is the number of points for which a peak is remembered.
	Cooldown = 90
	// floor is the score above which a point may be a peak.
	floor = 0.5
	// grown is the factor by which a score must exceed a peak that opened, to open again while the series is held.
	grown = 1.25
)

// Rule remembers the peak of one series. The zero value is empty.
type Rule struct {
	points uint32  // number of points
	at     uint32  // number of the peak's point
	peak   float32 // its score, 0 if there is none
}

// Next takes the score of the next point and returns the opening score: the score itself
// if it exceeds the remembered peak, which it then replaces; otherwise 0.
//
// While the series is held, away from its level, the peak stays: one lasting change
// opens once, and again only when it grows by a quarter. A peak below 1 opened nothing.
//
// Ages are differences of uint32, which stay right when the number of points turns over.
func (r *Rule) Next(score float64, held bool) float64 {
	r.points++
	if held && r.peak > 0 && r.points-r.at <= Cooldown {
		r.at = r.points
	}
	if !(score > floor) {
		return 0
	}
	if r.points-r.at > Cooldown {
		r.peak = 0
	}
	if float32(score) <= r.peak {
		return 0
	}
	if held && r.peak >= 1 && float32(score) <= grown*r.peak {
		return 0
	}
	r.at, r.peak = r.points, float32(score)
	return score
}

// Pass ages the peak by a number of points that were not recorded.
func (r *Rule) Pass(points uint32) { r.points += points }

// State writes or reads the rule.
func (r *Rule) State(c *state.Codec) {
	c.Uint32(&r.points)
	c.Uint32(&r.at)
	c.Float32(&r.peak)
	c.Check(r.peak >= 0)
}
