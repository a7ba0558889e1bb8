// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"math"

	"github.com/auspex-otel/auspex/internal/detect"
	"github.com/auspex-otel/auspex/internal/engine/clock"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

const (
	// leastGroup is how many series a service must have for their share outside the band to say anything.
	leastGroup = 20
	// groupEvery is the least time between two points of a group, nanoseconds.
	groupEvery = int64(60e9)
	// groupAge is how long a group must have been watched: what all series of a
	// service do together, every morning, is no fault. Nanoseconds.
	groupAge = int64(24 * 3600e9)
)

var logBandP = math.Log(detect.BandP)

// group counts, over one round of a service's series, the points that lie
// outside their band: a fault that is too weak to see in any one series may be
// wide. Each round gives one point of a series of its own; a round has as many
// points as the service has series, and lasts a minute at least.
type group struct {
	Since           int64 // event time at which the round began, 0 before the first point
	Judged, Outside int
	Due             bool // the round is over; no part of the state
}

// tally counts a verdict for the group of its service.
func (e *Engine) tally(svc *service, t int64, logP float64) {
	g := &svc.group
	if g.Since == 0 || t < g.Since-int64(clock.Tolerance) { // the first one, or the clock was set back
		*g = group{Since: t, Due: g.Due}
	}
	g.Judged++
	if logP < logBandP {
		g.Outside++
	}
	if !g.Due && g.Judged >= max(svc.series, leastGroup) && t-g.Since >= groupEvery {
		g.Due = true
		e.due = append(e.due, svc)
	}
}

// closeRounds gives every group whose round is over its next point.
func (e *Engine) closeRounds() {
	for _, svc := range e.due {
		g := svc.group
		svc.group = group{Since: svc.mark.Time()}
		if svc.series >= leastGroup && e.services[svc.name] == svc {
			e.derive(&derived{
				signal: SignalGroups, service: svc.name, metric: vocabulary.MetricOutsideBand, stats: valueStats,
			}, svc.mark.Time(), float64(g.Outside)/float64(g.Judged))
		}
	}
	clear(e.due)
	e.due = e.due[:0]
}
