// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"errors"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/backtest"
)

var start = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

func hour(h float64) time.Time { return start.Add(time.Duration(h * float64(time.Hour))) }

func number(t *testing.T, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s, 64)
	require.NoError(t, err)
	return v
}

// TestPlotKeepsSpikes draws many more points than columns.
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
		expected, lower, upper := c.intervalOf()
		assert.Equal(t, [3]float64{10, 9, 11}, [3]float64{expected, lower, upper})
	}
	assert.Equal(t, 100_000, points)
	assert.Equal(t, [2]float64{99, 7}, [2]float64{highest, score})
	assert.Equal(t, []mark{{start.Add(54_321 * time.Second).UnixNano(), 99, 7}}, p.marks)
}

var coordinates = regexp.MustCompile(`[ML]([-0-9.]+) ([-0-9.]+)`)

// TestDrawing verifies that paths are inside the view box.
func TestDrawing(t *testing.T) {
	p := Picture{Summary: backtest.Summary{Name: "a", Judged: 3, Worst: 2, WorstAt: hour(2)}, Plot: &Plot{}, Windows: []backtest.Window{{Start: hour(1), End: hour(2)}, {Start: hour(-9), End: hour(-8)}}}
	p.Plot.Add(hour(0), 1, nil)
	p.Plot.Add(hour(1), 2, &Verdict{Score: .5, Expected: 1, Lower: 0, Upper: 2})
	p.Plot.Add(hour(2), 9, &Verdict{Score: 2, Opening: 2, Expected: 1, Lower: 0, Upper: 2})
	p.Plot.Add(hour(40), 2, &Verdict{Score: .1, Expected: 1, Lower: -1e300, Upper: 1e300})
	d := p.draw(1)
	assert.Equal(t, 2, strings.Count(d.Value, "M"), "paths with a gap: %s", d.Value)
	assert.Equal(t, 2, strings.Count(d.Interval, "Z"))
	for _, m := range coordinates.FindAllStringSubmatch(d.Value, -1) {
		x, y := number(t, m[1]), number(t, m[2])
		assert.True(t, plotLeft <= x && x <= plotRight+1 && valueTop <= y && y <= valueBottom, m[0])
	}
	require.Len(t, d.Dots, 1)
	assert.Equal(t, "2026-03-02 02:00:00  value 9  opening score 2", d.Dots[0].Title)
	assert.Len(t, d.Windows, 1)
	assert.NotEmpty(t, d.TimeTicks)
	assert.Greater(t, len(d.ValueTicks), 2)
}

func TestDrawingOfLittle(t *testing.T) {
	empty := Picture{Plot: &Plot{}}
	assert.Empty(t, empty.draw(1).Value)
	for _, v := range []float64{0, 5, -5, math.MaxFloat64, -math.MaxFloat64, 1e-300} {
		one := Picture{Plot: &Plot{}}
		one.Plot.Add(hour(0), v, &Verdict{Expected: v, Lower: v, Upper: v})
		for _, text := range []string{one.draw(1).Value, one.draw(1).Interval, one.draw(1).Score} {
			assert.NotContains(t, text, "NaN")
			assert.NotContains(t, text, "Inf")
		}
	}
}

func TestTicks(t *testing.T) {
	labels := func(ticks []tick) (list []string) {
		for _, t := range ticks {
			list = append(list, t.Label)
		}
		return list
	}
	assert.Equal(t, []string{"0", "0.2", "0.4", "0.6", "0.8", "1"}, labels(valueTicks(scale{0, 1, 100, 0})))
	assert.Equal(t, []string{"-10 k", "-5000", "0", "5000", "10 k"}, labels(valueTicks(scale{-12000, 12000, 100, 0})))
	assert.Equal(t, []string{"50 M", "100 M", "150 M", "200 M"}, labels(valueTicks(scale{1e6, 2.01e8, 100, 0})))
	times := func(d time.Duration) []string {
		return labels(timeTicks(start.UnixNano(), start.Add(d).UnixNano(), scale{0, 1, 0, 1}))
	}
	assert.Equal(t, []string{"00:15", "00:30", "00:45", "01:00"}, times(time.Hour))
	assert.Equal(t, []string{"12:00", "18:00", "3 Mar", "06:00"}, times(49 * time.Hour)[1:5])
	for _, d := range []time.Duration{time.Second, time.Hour, day, 14 * day, 400 * day, 4000 * day} {
		assert.Less(t, len(times(d)), 13, d)
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
