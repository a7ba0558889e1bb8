// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package judge

import (
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/state"
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

// Persist writes or reads the verdict.
func (v *Verdict) Persist(c *state.Codec, words *state.Words) {
	for _, i := range [...]*int{&v.Resource, &v.Scope, &v.Metric, &v.Point} {
		c.Index(i)
	}
	words.Text(c, &v.Statistic)
	words.Text(c, &v.Unit)
	c.Bool(&v.End)
	c.Bits(&v.Score, &v.Opening, &v.Observed, &v.Expected, &v.Lower, &v.Upper)
}

// show adds the latest verdict of a series to those of the batch, if the batch wants it.
func (b *Batch) show(p *Point, st *stream, s *tracked) {
	wanted := s.last.shown || b.out.Select == SelectAll
	if !wanted || b.out.Select == SelectNone || s.warming() {
		return
	}
	v := Verdict{Resource: p.Place.Resource, Scope: p.Place.Scope, Metric: p.Place.Metric, Point: p.Place.Point}
	v.Statistic, v.Unit = s.stat.String(), st.unitOf(s.stat)
	v.End = b.out.Select == SelectAnomalous && s.last.phase == incident.PhaseEnd
	v.Score, v.Opening, v.Observed = s.last.score, s.last.opening, s.last.observed
	v.Expected, v.Lower, v.Upper = s.last.expected, s.last.lower, s.last.upper
	b.verdicts = append(b.verdicts, v)
}
