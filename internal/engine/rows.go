// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"maps"
	"slices"
	"time"

	"github.com/auspex-otel/auspex/internal/charts"
	"github.com/auspex-otel/auspex/internal/engine/meter"
	"github.com/auspex-otel/auspex/internal/engine/view"
	"github.com/auspex-otel/auspex/internal/series"
	"github.com/auspex-otel/auspex/internal/topology"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// SetCharts has the engine record every timely point in a store.
func (e *Engine) SetCharts(s *charts.Store) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.charts = s
}

func (v *verdict) point() charts.Point {
	return charts.Point{
		Time: v.time, Value: float32(v.observed), Score: float32(v.score),
		Expected: float32(v.expected), Lower: float32(v.lower), Upper: float32(v.upper),
	}
}

// Series lists series and their latest verdicts, the highest score first.
func (e *Engine) Series(q SeriesQuery) (list []SeriesView) {
	e.Look(func(rows view.Rows, _ *topology.Graph) { list = view.Series(rows, q) })
	return list
}

// Look has a function read all series, and what calls what. Both are valid and the engine is locked until it returns.
func (e *Engine) Look(read func(view.Rows, *topology.Graph)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	read(func(yield func(*view.Row) bool) {
		// One row and two functions serve all series: a query would else allocate them for each.
		var row view.Row
		var st *stream
		var s *tracked
		alpha := func() float64 { return e.alpha(st) }
		silenced := func() bool { return e.silenced(st, s, s.last.time) }
		for _, st = range e.streams.All() {
			for i := range st.series {
				s = &st.series[i]
				row = view.Row{
					ID: s.id, Service: st.resource.service.name, Metric: st.metric, Unit: st.unitOf(s.stat), Statistic: s.stat,
					Signal: st.signal, Attributes: st.attributes, Cadence: st.cadence, Time: s.last.time, Points: s.n, Score: s.last.score,
					Opening: s.last.opening, Observed: s.last.observed, Expected: s.last.expected, Lower: s.last.lower, Upper: s.last.upper,
					Model: s.model, Policy: st.policy, Alpha: alpha, Waiting: s.wait != nil,
					Open: s.openAt > 0 && e.tracker.Open(uint64(s.id)), Absent: st.silent, Silenced: silenced,
				}
				if !yield(&row) {
					return
				}
			}
		}
	}, e.causality.causes.Graph())
}

// Templates returns the templates of log records that are counted, by service and id.
func (e *Engine) Templates() (list []view.Template) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, l := range e.logs.All() {
		for _, id := range slices.Sorted(maps.Keys(l.Templates)) {
			known := l.Templates[id]
			info, ok := e.miner.Lookup(id)
			if !ok || info.ID != id {
				continue // it has become a part of another one
			}
			d := derived{signal: SignalLogs, service: l.service, metric: vocabulary.MetricLogRecords, unit: recordUnit, attributes: []attribute{{vocabulary.AttrTemplateID, idText(id)}}}
			list = append(list, view.Template{
				ID: idText(id), Service: l.service, Text: info.Template, Example: info.Example, Count: info.Count,
				First: time.Unix(0, known.First).UTC(), Last: time.Unix(0, known.Last).UTC(), Now: time.Unix(0, l.window.End).UTC(),
				Established: known.Windows >= established, Score: known.Mark.Score, Reason: known.Mark.Reason,
				Series: d.id().Join(series.Number(uint64(meter.Count))).String(),
			})
		}
	}
	return list
}
