// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"maps"
	"math"
	"sort"
	"time"

	"github.com/auspex-otel/auspex/internal/incident"
)

const defaultSeriesLimit = 100

// Status returns what the engine says of itself.
func (e *Engine) Status() Status {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := Status{
		Points: e.points, Refused: maps.Clone(e.refused), Held: maps.Clone(e.held),
		Series: e.streams.Weight(), Warming: e.warming, Evicted: e.evicted,
		Signals:         map[Signal]SignalStatus{},
		AnomaliesOpened: e.tracker.Opened,
		Persisted:       e.disk.client != nil, Generation: e.disk.generation, SnapshotTime: e.disk.taken,
		PendingFindings: e.findings.waiting(), DroppedFindings: e.findings.dropped,
	}
	for i := range signals {
		s.Signals[i] = SignalStatus{DecisionsPerDay: e.decisionsPerDay[i], Alpha: e.budget.Alpha(i), Theta: e.budget.Theta(i)}
	}
	for _, n := range e.tracker.OpenBy() {
		s.OpenAnomalies += n
	}
	_, s.OpenIncidents = e.tracker.IncidentsBy()
	return s
}

// Incidents lists the incidents in the given state, all of them for "", the latest opened first.
func (e *Engine) Incidents(state incident.State) []incident.Incident {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.tracker.Incidents(state)
}

// Incident returns one incident, if it is remembered.
func (e *Engine) Incident(id string) (incident.Incident, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.tracker.Incident(id)
}

// Series lists series and their latest verdicts, the highest score first.
func (e *Engine) Series(q SeriesQuery) []SeriesView {
	e.mu.Lock()
	defer e.mu.Unlock()
	list := []SeriesView{}
	for _, st := range e.streams.All() {
		if q.Service != "" && q.Service != st.source.service.name || q.Metric != "" && q.Metric != st.metric {
			continue
		}
		for i := range st.series {
			if q.Statistic == "" || q.Statistic == st.series[i].stat.String() {
				list = append(list, st.view(&st.series[i]))
			}
		}
	}
	sort.Slice(list, func(i, j int) bool {
		if list[i].Score != list[j].Score {
			return list[i].Score > list[j].Score
		}
		return list[i].ID < list[j].ID
	})
	if q.Limit == 0 {
		q.Limit = defaultSeriesLimit
	}
	return list[:min(q.Limit, len(list))]
}

func (st *stream) view(s *tracked) SeriesView {
	subject := st.subject(s)
	v := SeriesView{
		ID: subject.Series, Service: subject.Service, Metric: subject.Metric, Statistic: subject.Statistic, Unit: subject.Unit,
		Attributes: subject.Attributes, Time: time.Unix(0, s.last.time).UTC(), CadenceSeconds: float64(st.cadence) / 1e9,
		Points: s.n, Score: s.last.score, Observed: s.last.observed,
	}
	if !s.warming() {
		v.Expected, v.Lower, v.Upper = number(s.last.expected), number(s.last.lower), number(s.last.upper)
	}
	return v
}

// number returns a pointer to v, or nil where JSON has no word for it.
func number(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}
