// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package judge

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/prefetch"
	"github.com/auspex-otel/auspex/internal/series"
)

// Select selects the series whose verdicts are shown as companion gauges.
type Select string

// The selections.
const (
	SelectAnomalous Select = "anomalous"
	SelectAll       Select = "all"
	SelectNone      Select = "none"
)

// Output selects the verdicts that Points returns.
type Output struct {
	Select Select
	// MaxSeries bounds the anomalous series that are shown at once, over all callers.
	MaxSeries int
}

// Verdict holds the score and the prediction interval of one statistic of one data point.
// Resource, Scope, Metric, and Point are indexes into the batch.
type Verdict struct {
	Resource, Scope, Metric, Point int
	Statistic                      string
	Unit                           string
	// End marks the point after which the series' companions are to cease.
	End bool
	// Score is that of the point, Opening its opening score: an anomaly opens where that reaches 1.
	Score, Opening, Observed, Expected, Lower, Upper float64
}

// Place leads to a data point: indexes into its batch.
type Place struct{ Resource, Scope, Metric, Point int }

// Point is one data point of a batch. It is read within the batch only.
type Point struct {
	Place      Place
	ID         series.ID // of its stream
	Time       int64     // event time in nanoseconds, above 0
	Attributes pcommon.Map
	Resource   pcommon.Resource
	Scope      pcommon.InstrumentationScope
	Metric     pmetric.Metric

	found *series.Entry[stream] // nil until it has been looked up, and if it was not there
}

// Points judges data points of metrics in their order, and learns them. It returns the
// verdicts that out selects.
func (j *Judge) Points(points []Point, out Output) []Verdict {
	var verdicts []Verdict
	for i := -findAhead; i < len(points); i++ {
		j.fetch(points, i)
		if i >= 0 {
			verdicts = j.observe(&points[i], out, verdicts)
		}
	}
	return verdicts
}

// How many points ahead a stream is looked up, its first series is fetched, and
// then the model: each is found through the one before, and by then that is there.
const (
	findAhead   = 8
	seriesAhead = 4
	modelAhead  = 2
)

// fetch has the processor fetch what the points after point i need while that one
// is judged: a collector meets its series in no order, and would wait for memory.
func (j *Judge) fetch(points []Point, i int) {
	if k := i + findAhead; k < len(points) {
		if found := j.streams.Find(points[k].ID); found != nil {
			points[k].found = found
			prefetch.Value(found)
		}
	}
	if k := i + seriesAhead; k >= 0 && k < len(points) && points[k].found != nil {
		prefetch.Value(&points[k].found.Value.series[0])
	}
	if k := i + modelAhead; k >= 0 && k < len(points) && points[k].found != nil {
		prefetch.Value(points[k].found.Value.series[0].model)
	}
}

// show appends the latest verdict of the series to verdicts, if out wants it.
func (s *tracked) show(p *Point, unit string, out Output, verdicts []Verdict) []Verdict {
	wanted := s.last.shown || out.Select == SelectAll
	if !wanted || out.Select == SelectNone || s.warming() {
		return verdicts
	}
	v := Verdict{Resource: p.Place.Resource, Scope: p.Place.Scope, Metric: p.Place.Metric, Point: p.Place.Point}
	v.Statistic, v.Unit = s.stat.String(), unit
	v.End = out.Select == SelectAnomalous && s.last.phase == incident.PhaseEnd
	v.Score, v.Opening, v.Observed = s.last.score, s.last.opening, s.last.observed
	v.Expected, v.Lower, v.Upper = s.last.expected, s.last.lower, s.last.upper
	return append(verdicts, v)
}
