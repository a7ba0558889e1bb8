// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"cmp"
	"container/heap"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/auspex-otel/auspex/internal/incident"
)

const defaultSeriesLimit = 100

// Status returns what the engine says of itself.
func (e *Engine) Status() Status {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := Status{
		Points: e.points, Refused: maps.Clone(e.refused), Held: maps.Clone(e.held), Untimely: e.untimely.Counts(),
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

// Series lists series and their latest verdicts, the highest score first. Of all
// series it keeps no more than are asked for.
func (e *Engine) Series(q SeriesQuery) []SeriesView {
	e.mu.Lock()
	defer e.mu.Unlock()
	if q.Limit == 0 {
		q.Limit = defaultSeriesLimit
	}
	top := topSeries{}
	for _, st := range e.streams.All() {
		if q.Service != "" && q.Service != st.source.service.name || q.Metric != "" && q.Metric != st.metric {
			continue
		}
		for i := range st.series {
			if q.Statistic == "" || q.Statistic == st.series[i].stat.String() {
				top.offer(place{st, &st.series[i]}, q.Limit)
			}
		}
	}
	slices.SortFunc(top, func(a, b place) int { return b.compare(a) })
	list := make([]SeriesView, len(top))
	for i, p := range top {
		list[i] = p.stream.view(p.series)
	}
	return list
}

// place is where a series is.
type place struct {
	stream *stream
	series *tracked
}

// compare orders series by score, and of equal ones the lower identity is greater.
func (p place) compare(other place) int {
	return cmp.Or(cmp.Compare(p.series.last.score, other.series.last.score), cmp.Compare(other.series.id, p.series.id))
}

// topSeries is a heap of the greatest series so far, the least of them first.
type topSeries []place

func (t topSeries) Len() int           { return len(t) }
func (t topSeries) Less(i, j int) bool { return t[i].compare(t[j]) < 0 }
func (t topSeries) Swap(i, j int)      { t[i], t[j] = t[j], t[i] }
func (t *topSeries) Push(x any)        { *t = append(*t, x.(place)) }
func (t *topSeries) Pop() any          { panic("the heap only grows and replaces") }

// offer adds a series if it is among the greatest.
func (t *topSeries) offer(p place, limit int) {
	switch {
	case len(*t) < limit:
		heap.Push(t, p)
	case p.compare((*t)[0]) > 0:
		(*t)[0] = p
		heap.Fix(t, 0)
	}
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
