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
)

// CollectFindings takes the changed anomalies and incidents from the tracker.
func (j *Judge) CollectFindings() { j.findings.Add(j.tracker.News()) }

// PendingEvents returns the events that wait, in the order of their ids. They wait until Delivered.
func (j *Judge) PendingEvents() view.Events { return j.findings.Events() }

// DeliveredEvents forgets what was delivered, but for what has changed since.
func (j *Judge) DeliveredEvents(ev view.Events) { j.findings.DeliveredEvents(ev) }

// PendingGauges returns the gauges of every service that saw data since the last
// delivery, in the order of their names, and the companions of series that have no batch.
func (j *Judge) PendingGauges() view.Gauges {
	g := view.Gauges{Companions: j.findings.Companions()}
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
	j.findings.DeliveredCompanions(g.Companions)
}

func (st *stream) companions(s *tracked) *view.Companions {
	return &view.Companions{
		Series: s.id, Resource: st.resource.attributes, Scope: st.scope, Attributes: st.attributes,
		Metric: st.metric, Unit: st.unitOf(s.stat), Statistic: s.stat.String(), Time: pcommon.Timestamp(st.meter.Time),
		End:    s.last.phase == incident.PhaseEnd,
		Values: [...]float64{s.last.score, s.last.observed, s.last.expected, s.last.lower, s.last.upper},
	}
}
