// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package silence

import (
	"math"

	"github.com/auspex-otel/auspex/internal/exact"
	"github.com/auspex-otel/auspex/internal/state"
)

// Kind is the kind of an anomaly by absence.
const Kind = "silent"

const (
	// warmUp is the number of known gaps from which an absence is evidence.
	warmUp = 200
	// margin is the factor by which a gap must exceed the longest known one to be overdue.
	margin = 2
	// memory is the half-life, in points, of the difference between the longest gap and one cadence.
	memory = 3000
	// missRate is the weight of the latest gap in the mean of missed slots.
	missRate = 1.0 / 512
	// leastMissed is the initial and minimum value of that mean, in slots per point: one point in a hundred is lost
	// without a fault.
	leastMissed = 0.01
	// mostMissed bounds the missed slots of a single gap in that mean.
	mostMissed = 64
	// most bounds the evidence, in nats, because the removal of a stream looks like a fault for any duration of the
	// absence.
	most = 40.0
)

var keep = exact.Exp2(-1.0 / memory)

// Gaps is the model of the gaps between the points of one stream. All gaps are in cadences of the stream, so that 1
// is a gap without a missing point. The zero value is empty.
type Gaps struct {
	known  uint32  // gaps, up to warmUp
	beyond float32 // difference between the longest usual gap and one cadence
	missed float32 // decaying mean of the slots that a gap missed
}

// Learn adds a gap that ended with a point.
func (g *Gaps) Learn(gap float64) {
	if g.known < warmUp {
		g.known++
	}
	g.beyond = float32(max(gap-1, float64(float64(g.beyond)*keep)))
	m := max(leastMissed, float64(g.missed))
	slots := max(0, min(mostMissed, math.Round(gap)-1))
	g.missed = float32(m + float64(missRate*(slots-m)))
}

// Overdue reports whether a gap that has not ended is longer than any usual one.
func (g *Gaps) Overdue(gap float64) bool { return gap > g.due() }

func (g *Gaps) due() float64 { return float64(margin * (1 + float64(g.beyond))) }

// Surprise returns -ln p, in nats, of a gap that no point has ended yet, at least 0, and 0
// until enough is known. With m slots missed for each point that comes, the
// chance that one slot is missed is q = m/(1+m); what lies beyond twice the
// longest usual gap is taken as missed slots that have nothing to do with each other:
//
//	-ln p = -(gap - 2·longest)·ln q
func (g *Gaps) Surprise(gap float64) float64 {
	if g.known < warmUp || !g.Overdue(gap) {
		return 0
	}
	m := max(leastMissed, float64(g.missed))
	return min(most, float64((gap-g.due())*-exact.Log(m/(1+m))))
}

// State writes or reads the model.
func (g *Gaps) State(c *state.Codec) {
	c.Uint32(&g.known)
	c.Float32(&g.beyond)
	c.Float32(&g.missed)
	c.Check(g.known <= warmUp && g.beyond >= 0 && g.missed >= 0 && g.missed <= mostMissed)
}
