// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package causes

import (
	"maps"
	"slices"
	"time"

	"github.com/auspex-otel/auspex/internal/engine/deed"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/topology"
)

const (
	// blameBefore is the greatest time between the start of an incident and its first anomaly.
	// blameFor is the time after the first anomaly during which its causes are updated.
	// Evidence is kept for the sum of both.
	blameBefore, blameFor = time.Minute, 3 * time.Minute
	// maxBlamed bounds the incidents whose causes are updated at once.
	maxBlamed = 20
	// leastBlame is the least surprise of a reported cause, in nats.
	leastBlame = 5
	// A service has vanished if it has sent nothing for vanishedGaps times its longest usual
	// gap, and for leastVanished. The surprise of that is vanishedNats.
	vanishedGaps, leastVanished = 3, int64(30 * time.Second)
	vanishedNats                = 200
)

// blame passes to every young incident the services whose behavior changed during it.
func (c *Causes) blame() {
	if c.reached == 0 {
		return // nothing is known of what services do
	}
	reached := time.Unix(0, c.reached)
	tracker, asked := c.judge.Tracker(), 0
	for _, id := range tracker.Young(reached.Add(-blameFor)) {
		if asked++; asked > maxBlamed {
			return
		}
		opened := tracker.OpenedAt(id)
		var list []incident.Cause
		for _, s := range c.accumulator.Blame(opened.Add(-blameBefore).UnixNano(), c.reached, c.vanished(opened)) {
			if s.Score < leastBlame {
				continue // among many services, one always has a moderate surprise
			}
			_, left := s.Evidence[0].Detail.(deed.Gone)
			list = append(list, incident.Cause{
				Service: s.Service, Surprise: s.Score, What: deed.Words(s.Service, &s.Evidence[0]), Since: time.Unix(0, s.Since).UTC(), Gone: left,
			})
		}
		tracker.Blame(id, reached.UTC(), list)
	}
}

// vanished are the services from which nothing came in the time of an incident that opened at a time, although it was due.
func (c *Causes) vanished(opened time.Time) (list []topology.Evidence) {
	for _, service := range slices.Sorted(maps.Keys(c.links.heard)) {
		h := c.links.heard[service]
		if missing := c.reached - h.last; missing > vanishedGaps*h.gap && missing > leastVanished && h.last > opened.Add(-blameFor).UnixNano() {
			list = append(list, topology.Evidence{Aspect: topology.Silence, Service: service, Surprise: vanishedNats, Since: h.last, Detail: deed.Gone{}})
		}
	}
	return list
}

// heard holds the event time of the latest telemetry of a service, and its longest usual gap, in nanoseconds.
type heard struct{ last, gap int64 }

// hear records that telemetry came from a service. Long gaps are forgotten gradually.
func (c *Causes) hear(service string, t int64) {
	h, ok := c.links.heard[service]
	if !ok && len(c.links.heard) >= maxNamespaces {
		return
	}
	if d := t - h.last; ok && d > 0 {
		h.gap = max(h.gap-h.gap/100, d)
	}
	h.last = max(h.last, t)
	c.links.heard[service] = h
}
