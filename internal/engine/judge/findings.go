// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package judge

import (
	"maps"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/auspex-otel/auspex/internal/engine/budget"
	"github.com/auspex-otel/auspex/internal/engine/view"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/series"
)

// maxPending bounds the findings of each kind that wait for the findings receiver.
const maxPending = 10_000

// findings holds the updates for the findings receiver until they are delivered. A
// newer update of one id replaces an older one.
type findings struct {
	anomalies  map[string]*incident.Anomaly
	incidents  map[string]*incident.Incident
	companions map[series.ID]*view.Companions
	dropped    uint64
}

func (f *findings) clear() {
	f.anomalies, f.incidents, f.companions = map[string]*incident.Anomaly{}, map[string]*incident.Incident{}, map[series.ID]*view.Companions{}
	f.dropped = 0
}

// CollectFindings takes the changed anomalies and incidents from the tracker.
func (j *Judge) CollectFindings() {
	anomalies, incidents := j.tracker.News()
	for i := range anomalies {
		hold(&j.findings, j.findings.anomalies, anomalies[i].ID, &anomalies[i])
	}
	for i := range incidents {
		hold(&j.findings, j.findings.incidents, incidents[i].ID, &incidents[i])
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
func (j *Judge) PendingEvents() view.Events {
	return view.Events{Anomalies: inOrder(j.findings.anomalies), Incidents: inOrder(j.findings.incidents)}
}

// DeliveredEvents forgets what was delivered, but for what has changed since.
func (j *Judge) DeliveredEvents(ev view.Events) {
	for _, a := range ev.Anomalies {
		if j.findings.anomalies[a.ID] == a {
			delete(j.findings.anomalies, a.ID)
		}
	}
	for _, i := range ev.Incidents {
		if j.findings.incidents[i.ID] == i {
			delete(j.findings.incidents, i.ID)
		}
	}
}

// PendingGauges returns the gauges of every service that saw data since the last
// delivery, in the order of their names, and the companions of series that have no batch.
func (j *Judge) PendingGauges() view.Gauges {
	g := view.Gauges{Companions: inOrder(j.findings.companions)}
	open := j.tracker.OpenBy()
	incidents, _ := j.tracker.IncidentsBy()
	total, above := j.countAbove()
	for _, name := range slices.Sorted(maps.Keys(j.services)) {
		svc := j.services[name]
		if svc.mark.Time() == svc.delivered {
			continue
		}
		svc.unsent, svc.maxScore = max(svc.unsent, svc.maxScore), 0
		of := view.Gauge{
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
func (j *Judge) countAbove() (total, above map[string]int) {
	total, above = map[string]int{}, map[string]int{}
	for _, st := range j.streams.All() {
		if st.signal >= budget.Groups {
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
func (j *Judge) DeliveredGauges(g view.Gauges) {
	for _, d := range g.Services {
		if svc := j.services[d.Service]; svc != nil {
			svc.delivered, svc.unsent = int64(d.Time), 0
		}
	}
	for _, c := range g.Companions {
		if j.findings.companions[c.Series] == c {
			delete(j.findings.companions, c.Series)
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
