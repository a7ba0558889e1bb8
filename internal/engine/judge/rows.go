// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package judge

import (
	"github.com/auspex-otel/auspex/internal/charts"
	"github.com/auspex-otel/auspex/internal/engine/view"
)

// SetCharts sets a store in which every timely point is recorded.
func (j *Judge) SetCharts(s *charts.Store) { j.charts = s }

func (v *verdict) point() charts.Point {
	return charts.Point{
		Time: v.time, Value: float32(v.observed), Score: float32(v.score),
		Expected: float32(v.expected), Lower: float32(v.lower), Upper: float32(v.upper),
	}
}

// Rows yields all series. A row is valid until the next one.
func (j *Judge) Rows() view.Rows {
	return func(yield func(*view.Row) bool) {
		// One row and two functions serve all series: a query would else allocate them for each.
		var row view.Row
		var st *stream
		var s *tracked
		alpha := func() float64 { return j.alpha(st) }
		silenced := func() bool { return j.silenced(st, s, s.last.time) }
		for _, st = range j.streams.All() {
			for i := range st.series {
				s = &st.series[i]
				row = view.Row{
					ID: s.id, Service: st.resource.service.name, Metric: st.metric, Unit: st.unitOf(s.stat), Statistic: s.stat,
					Signal: st.signal, Attributes: st.attributes, Cadence: st.cadence, Time: s.last.time, Points: s.n, Score: s.last.score,
					Opening: s.last.opening, Observed: s.last.observed, Expected: s.last.expected, Lower: s.last.lower, Upper: s.last.upper,
					Model: s.model, Policy: st.policy, Alpha: alpha, Waiting: s.wait != nil,
					Open: s.openAt > 0 && j.tracker.Open(uint64(s.id)), Absent: st.silent, Silenced: silenced,
				}
				if !yield(&row) {
					return
				}
			}
		}
	}
}
