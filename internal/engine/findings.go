// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"maps"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/auspex-otel/auspex/internal/engine/outlet"
	"github.com/auspex-otel/auspex/internal/engine/view"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/series"
)

// maxPending bounds the findings of each kind that wait for the findings receiver.
const maxPending = 10_000

// findings holds the updates for the findings receiver until they are delivered. A
// newer update of one id replaces an older one.
type findings struct {
	claimed    map[string]bool
	anomalies  map[string]*incident.Anomaly
	incidents  map[string]*incident.Incident
	companions map[series.ID]*view.Companions
	dropped    uint64
}

type ( // see internal/engine/view
	// Events is view.Events.
	Events = view.Events
	// Gauge is view.Gauge.
	Gauge = view.Gauge
	// Gauges is view.Gauges.
	Gauges = view.Gauges
)

func (f *findings) clear() {
	f.claimed = map[string]bool{}
	f.anomalies, f.incidents, f.companions = map[string]*incident.Anomaly{}, map[string]*incident.Incident{}, map[series.ID]*view.Companions{}
	f.dropped = 0
}

// Claim reserves the findings of one signal for one receiver, until release is
// called. It returns an error if another receiver has them.
func (e *Engine) Claim(signal string) (release func(), err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.findings.claimed[signal] {
		return nil, errClaimed
	}
	e.findings.claimed[signal] = true
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.findings.claimed, signal)
	}, nil
}

// Outlet returns the gate that every delivery of findings passes.
func (e *Engine) Outlet() *outlet.Gate { return &e.outlet }

// noteNews takes the changed anomalies and incidents from the tracker.
func (e *Engine) noteNews() {
	anomalies, incidents := e.tracker.News()
	for i := range anomalies {
		hold(&e.findings, e.findings.anomalies, anomalies[i].ID, &anomalies[i])
	}
	for i := range incidents {
		hold(&e.findings, e.findings.incidents, incidents[i].ID, &incidents[i])
	}
}

// waiting returns the number of findings that wait.
func (f *findings) waiting() int { return len(f.anomalies) + len(f.incidents) + len(f.companions) }

func (f *findings) addCompanions(c *view.Companions) { hold(f, f.companions, c.Series, c) }

// hold puts a finding under its id. Where there is no room the new one is dropped and counted.
func hold[K comparable, V any](f *findings, m map[K]*V, id K, v *V) {
	if _, known := m[id]; !known && len(m) >= maxPending {
		f.dropped++
		return
	}
	m[id] = v
}

// PendingEvents returns the events that wait, in the order of their ids. They go on waiting until Delivered.
func (e *Engine) PendingEvents() Events {
	e.mu.Lock()
	defer e.mu.Unlock()
	return Events{Anomalies: inOrder(e.findings.anomalies), Incidents: inOrder(e.findings.incidents)}
}

// DeliveredEvents forgets what was delivered, but for what has changed since.
func (e *Engine) DeliveredEvents(ev Events) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, a := range ev.Anomalies {
		if e.findings.anomalies[a.ID] == a {
			delete(e.findings.anomalies, a.ID)
		}
	}
	for _, i := range ev.Incidents {
		if e.findings.incidents[i.ID] == i {
			delete(e.findings.incidents, i.ID)
		}
	}
}

// PendingGauges returns the gauges of every service that saw data since the last
// delivery, in the order of their names, and the companions of series that have no batch.
func (e *Engine) PendingGauges() Gauges {
	e.mu.Lock()
	defer e.mu.Unlock()
	g := Gauges{Companions: inOrder(e.findings.companions)}
	open := e.tracker.OpenBy()
	incidents, _ := e.tracker.IncidentsBy()
	total, above := e.countAbove()
	for _, name := range slices.Sorted(maps.Keys(e.services)) {
		svc := e.services[name]
		if svc.mark.Time() == svc.delivered {
			continue
		}
		svc.unsent, svc.maxScore = max(svc.unsent, svc.maxScore), 0
		of := Gauge{
			Service: name, Time: pcommon.Timestamp(svc.mark.Time()), Count: svc.opened,
			MaxScore: svc.unsent, Open: int64(open[name]), Rate: float64(above[name]) / float64(max(total[name], 1)),
		}
		if load, ok := incidents[name]; ok {
			of.Incidents, of.Lasting = int64(load.Open), max(0, time.Unix(0, svc.mark.Time()).Sub(load.Since))
		}
		g.Services = append(g.Services, of)
	}
	return g
}

// countAbove counts the series of every service, and those of them above 1.
func (e *Engine) countAbove() (total, above map[string]int) {
	total, above = map[string]int{}, map[string]int{}
	for _, st := range e.streams.All() {
		if st.signal >= SignalGroups {
			continue // a group is made from the others, and news are no series
		}
		name := st.resource.service.name
		total[name] += len(st.series)
		for i := range st.series {
			if st.series[i].last.score > 1 {
				above[name]++
			}
		}
	}
	return total, above
}

// DeliveredGauges marks gauges as delivered.
func (e *Engine) DeliveredGauges(g Gauges) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, d := range g.Services {
		if svc := e.services[d.Service]; svc != nil {
			svc.delivered, svc.unsent = nanos(d.Time), 0
		}
	}
	for _, c := range g.Companions {
		if e.findings.companions[c.Series] == c {
			delete(e.findings.companions, c.Series)
		}
	}
}

func (st *stream) companions(s *tracked) *view.Companions {
	return &view.Companions{
		Series: s.id, Resource: st.resource.attributes, Scope: st.scope, Attributes: st.attributes,
		Metric: st.metric, Unit: st.unitOf(s.stat), Statistic: s.stat.String(), Time: pcommon.Timestamp(st.meter.Time),
		End:    s.last.phase == incident.PhaseEnd,
		Values: [...]float64{s.last.score, s.last.observed, s.last.expected, s.last.lower, s.last.upper},
	}
}

func inOrder[K interface{ ~string | ~uint64 }, V any](m map[K]*V) []*V {
	list := make([]*V, 0, len(m))
	for _, id := range slices.Sorted(maps.Keys(m)) {
		list = append(list, m[id])
	}
	return list
}
