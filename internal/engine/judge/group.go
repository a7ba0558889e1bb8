// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package judge

import (
	"github.com/auspex-otel/auspex/internal/detect"
	"github.com/auspex-otel/auspex/internal/engine/budget"
	"github.com/auspex-otel/auspex/internal/engine/meter"
	"github.com/auspex-otel/auspex/internal/engine/window"
	"github.com/auspex-otel/auspex/internal/exact"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

const (
	// leastGroup is the least number of series of a service whose share outside the interval is judged.
	leastGroup = 20
	// groupAge is the least age of a judged group, in nanoseconds: a day, for a change
	// that all series of a service share every morning is no fault.
	groupAge = int64(24 * 3600e9)
)

// valueStats are the statistics of a stream that has plain values.
var valueStats = []meter.Statistic{meter.Value}

// outsideNats is the surprise beyond which a point lies outside its prediction interval.
var outsideNats = -exact.Log(detect.OutsideP)

// tally counts a verdict for the group of its service. Each round of it gives one point of a series of its own.
func (j *Judge) tally(svc *service, t int64, surprise float64) {
	if svc.group.Add(t, surprise > outsideNats, max(svc.series, leastGroup)) {
		j.due = append(j.due, svc)
	}
}

// closeRounds derives the next point of every group whose round is over.
func (j *Judge) closeRounds() {
	for _, svc := range j.due {
		g := svc.group
		svc.group = window.Round{Since: svc.mark.Time()}
		if svc.series >= leastGroup && j.services[svc.name] == svc {
			j.Derive(&Derived{
				Signal: budget.Groups, Service: svc.name, Metric: vocabulary.MetricOutsideInterval, Statistics: valueStats,
			}, svc.mark.Time(), float64(g.Outside)/float64(g.Judged))
		}
	}
	clear(j.due)
	j.due = j.due[:0]
}
