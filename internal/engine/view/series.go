// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package view

import (
	"cmp"
	"iter"
	"math"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/auspex-otel/auspex/internal/detect/ensemble"
	"github.com/auspex-otel/auspex/internal/engine/budget"
	"github.com/auspex-otel/auspex/internal/engine/greatest"
	"github.com/auspex-otel/auspex/internal/engine/meter"
	"github.com/auspex-otel/auspex/internal/policy"
	"github.com/auspex-otel/auspex/internal/series"
)

// Rows yields the engine's series. A row is valid until the next one is yielded. Alpha and Silenced must not be
// called on a copy that is kept longer.
type Rows = iter.Seq[*Row]

// Row is one series in the engine with its latest verdict. Model and Policy are nil if there is none.
type Row struct {
	ID                                               series.ID
	Service, Metric, Unit                            string
	Statistic                                        meter.Statistic
	Signal                                           budget.Signal
	Attributes                                       pcommon.Map
	Cadence, Time                                    int64 // nanoseconds
	Points                                           uint64
	Score, Opening, Observed, Expected, Lower, Upper float64
	Model                                            *ensemble.Model
	Policy                                           *policy.Policy
	Alpha                                            func() float64
	Silenced                                         func() bool
	// Waiting: the series waits for the minimum duration. Open: its anomaly is open. Absent: it is silent.
	Waiting, Open, Absent bool
}

// defaultLimit is the default number of listed series.
const defaultLimit = 100

// Series returns the series that a query selects, highest score first. It holds at most as many as requested.
func Series(rows Rows, q SeriesQuery) []SeriesView {
	top := greatest.New(cmp.Or(q.Limit, defaultLimit), compare)
	for r := range rows {
		if q.selects(r) {
			top.Offer(*r)
		}
	}
	found := top.Sorted()
	list := make([]SeriesView, len(found))
	for i := range found {
		list[i] = found[i].view()
	}
	return list
}

// compare orders series by score. Of equal ones the lower identity is greater.
func compare(a, b Row) int { return cmp.Or(cmp.Compare(a.Score, b.Score), cmp.Compare(b.ID, a.ID)) }

func (q *SeriesQuery) selects(r *Row) bool {
	if q.Service != "" && q.Service != r.Service || q.Metric != "" && q.Metric != r.Metric || q.Statistic != "" && q.Statistic != r.Statistic.String() {
		return false
	}
	for word := range strings.FieldsSeq(q.Text) {
		if !r.has(strings.ToLower(word)) {
			return false
		}
	}
	return true
}

// has reports whether a lowercase word occurs in the names of the series.
func (r *Row) has(word string) bool {
	in := func(text string) bool { return strings.Contains(strings.ToLower(text), word) }
	if in(r.Service) || in(r.Metric) || in(r.Statistic.String()) {
		return true
	}
	for k, v := range r.Attributes.All() {
		if in(k) || in(v.AsString()) {
			return true
		}
	}
	return false
}

func (r *Row) view() SeriesView {
	v := SeriesView{
		ID: r.ID.String(), Service: r.Service, Metric: r.Metric, Statistic: r.Statistic.String(), Unit: r.Unit,
		Attributes: series.Texts(r.Attributes), Time: time.Unix(0, r.Time).UTC(), CadenceSeconds: float64(r.Cadence) / 1e9,
		Points: r.Points, Score: r.Score, Observed: r.Observed,
	}
	if !r.warming() {
		v.Expected, v.Lower, v.Upper = Number(r.Expected), Number(r.Lower), Number(r.Upper)
	}
	return v
}

func (r *Row) warming() bool { return math.IsNaN(r.Expected) }
