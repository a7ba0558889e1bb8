// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/auspex-otel/auspex/internal/backtest"
)

var start = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

func hour(h float64) time.Time { return start.Add(time.Duration(h * float64(time.Hour))) }

// TestPlotKeepsSpikes draws far more points than there are columns.
func TestPlotKeepsSpikes(t *testing.T) {
	p := &Plot{}
	for i := range 100_000 {
		v := Verdict{Score: .1, Expected: 10, Lower: 9, Upper: 11}
		value := 10.0
		if i == 54_321 {
			value, v.Score, v.Opening = 99, 7, 7
		}
		p.Add(start.Add(time.Duration(i)*time.Second), value, &v)
	}
	columns := p.filled()
	assert.LessOrEqual(t, len(columns), maxColumns)
	assert.Greater(t, len(columns), maxColumns/2)
	points, highest, score := 0, 0.0, 0.0
	for _, c := range columns {
		points, highest, score = points+c.points, max(highest, c.max), max(score, c.score)
	}
	for _, d := range p.points() {
		assert.Equal(t, [3]float64{10, 9, 11}, [3]float64{d.Expected, d.Lower, d.Upper})
	}
	assert.Equal(t, 100_000, points)
	assert.Equal(t, [2]float64{99, 7}, [2]float64{highest, score})
	assert.Equal(t, []mark{{start.Add(54_321 * time.Second).UnixNano(), 99, 7}}, p.marks)
}

func TestPicture(t *testing.T) {
	p := Picture{Summary: backtest.Summary{Name: "a<b", Judged: 3, Openings: 1, Worst: 2, WorstAt: hour(2)}, Plot: &Plot{}, Windows: []backtest.Window{{Start: hour(1), End: hour(2)}}}
	assert.Empty(t, p.draw(1).SVG, "there is no point")
	p.Plot.Add(hour(0), 1, nil)
	p.Plot.Add(hour(1), 2, &Verdict{Score: .5, Expected: 1, Lower: 0, Upper: 2})
	p.Plot.Add(hour(2), 9, &Verdict{Score: 2, Opening: 2, Expected: 1, Lower: 0, Upper: 2})
	d := p.draw(7)
	assert.Equal(t, "3 points judged, 1 openings, worst score 2 at 2026-03-02 02:00:00", d.Caption)
	for _, want := range []string{`url(#values-7)`, `Values and scores of a&lt;b`, `class="window"`, `<title>2026-03-02 02:00:00  value 9  opening score 2</title>`} {
		assert.Contains(t, d.SVG, want)
	}
}

func TestReportIsBounded(t *testing.T) {
	g, all := &Gallery{}, []backtest.Summary(nil)
	for i := range 5 * MaxRows {
		s := backtest.Summary{Name: strconv.Itoa(i), Worst: float64(i), Judged: 1}
		p := Picture{Summary: s, Plot: &Plot{}}
		p.Plot.Add(hour(0), 1, nil)
		g.Add(p)
		all = append(all, s)
	}
	var r Page
	r.Fail([]error{errors.New("what failed")})
	r.Draw(g.Worst())
	r.Summarize("file", all)
	assert.Len(t, r.Drawings, MaxPictures)
	assert.Equal(t, strconv.Itoa(5*MaxRows-1), r.Drawings[0].Name)
	assert.Len(t, r.Series.Rows, MaxRows)
	assert.NotEmpty(t, r.Series.Note)
	assert.Equal(t, []string{"what failed"}, r.Failed)
}
