// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"math"
	"slices"
	"time"

	"github.com/auspex-otel/auspex/internal/plot"
)

// maxColumns bounds the columns of a plot.
const maxColumns = 1000

// column summarizes the points of one period. It keeps their extremes, so that no spike is lost, and the mean
// interval.
type column struct {
	time                   int64 // of the first point
	points, judged         int
	min, max               float64
	expected, lower, upper float64 // sums
	score, opening         float64 // maxima
}

func (c *column) merge(d column) {
	switch {
	case d.points == 0:
	case c.points == 0:
		*c = d
	default:
		c.points, c.judged = c.points+d.points, c.judged+d.judged
		c.time, c.min, c.max = min(c.time, d.time), min(c.min, d.min), max(c.max, d.max)
		c.expected, c.lower, c.upper = c.expected+d.expected, c.lower+d.lower, c.upper+d.upper
		c.score, c.opening = max(c.score, d.score), max(c.opening, d.opening)
	}
}

// Verdict holds the scores and the prediction interval of a point.
type Verdict struct{ Score, Opening, Expected, Lower, Upper float64 }

// Plot is the plot of one series in bounded memory: columns of equal duration, which doubles when a point is beyond
// the last column.
type Plot struct {
	start, width int64 // nanoseconds
	columns      []column
	marks        []mark
}

// mark is an opening.
type mark struct {
	time           int64
	value, opening float64
}

// maxMarks bounds the marked openings, because more could not be distinguished.
const maxMarks = 500

// Add adds a point. judged is nil without a verdict. Points before the first one are ignored.
func (p *Plot) Add(t time.Time, v float64, judged *Verdict) {
	now := t.UnixNano()
	if len(p.columns) == 0 {
		p.start, p.width = now, int64(time.Millisecond)
	}
	if now < p.start {
		return
	}
	for (now-p.start)/p.width >= maxColumns {
		p.halve()
	}
	at := int((now - p.start) / p.width)
	for len(p.columns) <= at {
		p.columns = append(p.columns, column{})
	}
	c := column{time: now, points: 1, min: v, max: v}
	if judged != nil {
		c.judged, c.score, c.opening = 1, judged.Score, judged.Opening
		c.expected, c.lower, c.upper = judged.Expected, judged.Lower, judged.Upper
		if judged.Opening >= 1 && len(p.marks) < maxMarks {
			p.marks = append(p.marks, mark{now, v, judged.Opening})
		}
	}
	p.columns[at].merge(c)
}

// halve merges pairs of columns, which doubles their duration.
func (p *Plot) halve() {
	p.width *= 2
	half := (len(p.columns) + 1) / 2
	for i := range half {
		c := p.columns[2*i]
		if 2*i+1 < len(p.columns) {
			c.merge(p.columns[2*i+1])
		}
		p.columns[i] = c
	}
	p.columns = p.columns[:half]
}

// filled returns the columns with points.
func (p *Plot) filled() []column {
	return slices.DeleteFunc(slices.Clone(p.columns), func(c column) bool { return c.points == 0 })
}

// points returns the columns as points to draw, each with the mean of its interval.
func (p *Plot) points() (list []plot.Point) {
	for _, c := range p.filled() {
		n, drawn := float64(c.judged), plot.Point{Time: c.time, Min: c.min, Max: c.max, Score: c.score, Expected: math.NaN()}
		if c.judged > 0 {
			drawn.Expected, drawn.Lower, drawn.Upper = c.expected/n, c.lower/n, c.upper/n
		}
		list = append(list, drawn)
	}
	return list
}
