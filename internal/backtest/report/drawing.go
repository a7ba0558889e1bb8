// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"time"
)

// Geometry of a drawing in the units of its view box: values at the top, scores below, and one time axis for both.
const (
	viewWidth, viewHeight     = 1000, 322
	plotLeft, plotRight       = 58, 988
	valueTop, valueBottom     = 10, 210
	scoreTop, scoreBottom     = 228, 298
	leastScoreTop, scoreAbove = 1.5, 3.0 // range of the upper end of the score axis
)

// drawing holds the template values of one picture.
type drawing struct {
	Name, Caption                          string
	Value, Expected, Interval, Score       string // SVG paths
	Dots                                   []dot
	Windows                                []shade
	TimeTicks, ValueTicks                  []tick
	Threshold                              string // y of score 1
	Width, Height, Left, Right             int
	ValueTop, ValueBottom, ScoreTop, Floor int
	PlotWidth, ValueHeight, ScoreHeight    int
	ID                                     int
}

type dot struct{ X, Y, Title string }

// shade is a window of the truth.
type shade struct{ X, Width string }

type tick struct{ At, Label string }

// scale maps [low, high] to [from, to].
type scale struct{ low, high, from, to float64 }

func (s scale) at(v float64) float64 { return s.from + (v-s.low)/(s.high-s.low)*(s.to-s.from) }

// draw returns the drawing of a picture.
func (p Picture) draw(id int) drawing {
	d := drawing{
		ID: id, Name: p.Name, Caption: p.caption(), Width: viewWidth, Height: viewHeight, Left: plotLeft, Right: plotRight,
		ValueTop: valueTop, ValueBottom: valueBottom, ScoreTop: scoreTop, Floor: scoreBottom,
		PlotWidth: plotRight - plotLeft, ValueHeight: valueBottom - valueTop, ScoreHeight: scoreBottom - scoreTop,
	}
	columns := p.Plot.filled()
	if len(columns) == 0 {
		return d
	}
	first, last := columns[0].time, columns[len(columns)-1].time
	x := scale{float64(first), float64(max(last, first+int64(time.Second))), plotLeft, plotRight}
	y := valueScale(columns)
	score := scale{0, max(leastScoreTop, min(p.Worst*1.05, scoreAbove)), scoreBottom, scoreTop}
	d.paths(columns, x, y, score)
	for _, m := range p.Plot.marks {
		title := time.Unix(0, m.time).UTC().Format(time.DateTime) + "  value " + Short(m.value) + "  opening score " + Short(m.opening)
		d.Dots = append(d.Dots, dot{coordinate(x.at(float64(m.time))), coordinate(y.at(m.value)), title})
	}
	for _, w := range p.Windows {
		from := max(x.at(float64(w.Start.UnixNano())), plotLeft)
		to := min(x.at(float64(w.End.UnixNano())), plotRight)
		if to >= from {
			d.Windows = append(d.Windows, shade{coordinate(from), coordinate(max(to-from, 1))})
		}
	}
	d.Threshold = coordinate(score.at(1))
	d.TimeTicks, d.ValueTicks = timeTicks(first, last, x), valueTicks(y)
	return d
}

func (p Picture) caption() string {
	text := strconv.Itoa(p.Judged) + " points judged, " + strconv.Itoa(p.Openings) + " openings"
	if p.Judged > 0 {
		text += ", worst score " + Short(p.Worst) + " at " + p.WorstAt.UTC().Format(time.DateTime)
	}
	return text
}

// valueScale covers all values, and the interval up to half their range beyond them.
func valueScale(columns []column) scale {
	low, high := math.Inf(1), math.Inf(-1)
	for _, c := range columns {
		low, high = min(low, c.min), max(high, c.max)
	}
	low, high = bounded(low), bounded(high)
	beyond := max(high-low, math.Abs(high)*1e-3, 1e-9) / 2
	intervalLow, intervalHigh := low, high
	for _, c := range columns {
		if c.judged > 0 {
			_, lower, upper := c.intervalOf()
			intervalLow, intervalHigh = min(intervalLow, lower), max(intervalHigh, upper)
		}
	}
	low, high = max(intervalLow, low-beyond), min(intervalHigh, high+beyond)
	margin := max((high-low)*.04, math.Abs(high)*1e-4, 1e-9)
	return scale{low - margin, high + margin, valueBottom, valueTop}
}

// paths draws lines, with gaps where much more time passes than usual.
func (d *drawing) paths(columns []column, x, y, score scale) {
	gap := 5 * usualDistance(columns)
	var value, expected, scores path
	var intervals []byte
	var run []column
	flush := func() {
		intervals = appendInterval(intervals, run, x, y)
		scores.close(score.from)
		run = run[:0]
	}
	for i, c := range columns {
		at := x.at(float64(c.time))
		if i > 0 && c.time-columns[i-1].time > gap {
			value.lift()
			expected.lift()
			flush()
		}
		value.through(at, y.at(bounded(c.min)), y.at(bounded(c.max)))
		if c.judged == 0 {
			expected.lift()
			flush()
			continue
		}
		mean, _, _ := c.intervalOf()
		expected.to(at, y.at(mean))
		if len(run) == 0 {
			scores.to(at, score.from)
		}
		scores.to(at, max(score.at(c.score), scoreTop-1))
		run = append(run, c)
	}
	flush()
	d.Value, d.Expected, d.Interval, d.Score = string(value.b), string(expected.b), string(intervals), string(scores.b)
}

func usualDistance(columns []column) int64 {
	distances := []int64{0}
	for i := range len(columns) - 1 {
		distances = append(distances, columns[i+1].time-columns[i].time)
	}
	slices.Sort(distances)
	return max(distances[len(distances)/2], 1)
}

// appendInterval appends the closed outline of the interval over adjacent columns.
func appendInterval(b []byte, run []column, x, y scale) []byte {
	if len(run) == 0 {
		return b
	}
	edge := path{b: b}
	for _, c := range run {
		_, _, upper := c.intervalOf()
		edge.to(x.at(float64(c.time)), y.at(upper))
	}
	for i := range run {
		c := run[len(run)-1-i]
		_, lower, _ := c.intervalOf()
		edge.to(x.at(float64(c.time)), y.at(lower))
	}
	return append(edge.b, 'Z')
}

// path builds an SVG path.
type path struct {
	b            []byte
	down         bool
	lastX, lastY float64
}

// farAway bounds coordinates outside the picture.
const farAway = 9999

func (p *path) to(x, y float64) {
	command := byte('L')
	if !p.down {
		command = 'M'
	}
	y = max(-farAway, min(y, farAway))
	p.b = appendCoordinate(append(p.b, command), x)
	p.b = appendCoordinate(append(p.b, ' '), y)
	p.down, p.lastX, p.lastY = true, x, y
}

// through adds two heights at one position, the nearer first.
func (p *path) through(x, y1, y2 float64) {
	if p.down && math.Abs(y2-p.lastY) < math.Abs(y1-p.lastY) {
		y1, y2 = y2, y1
	}
	alone := !p.down
	p.to(x, y1)
	if y1 != y2 || alone {
		p.to(x+.1, y2) // a line without length would not be visible
	}
}

func (p *path) lift() { p.down = false }

// close closes the outline along the floor.
func (p *path) close(floor float64) {
	if p.down {
		p.to(p.lastX, floor)
		p.b = append(p.b, 'Z')
		p.down = false
	}
}

func appendCoordinate(b []byte, v float64) []byte {
	return strconv.AppendFloat(b, math.Round(v*10)/10, 'f', -1, 64)
}

func coordinate(v float64) string {
	return string(appendCoordinate(nil, max(-farAway, min(v, farAway))))
}

// Short formats a number with four digits.
func Short(v float64) string { return strconv.FormatFloat(v, 'g', 4, 64) }

// scaled formats a number with an SI prefix.
func scaled(v float64) string {
	for _, p := range [...]struct {
		size float64
		text string
	}{{1e12, " T"}, {1e9, " G"}, {1e6, " M"}, {1e3, " k"}} {
		if a := math.Abs(v); a >= p.size*10 && a < 1e15 {
			return Short(v/p.size) + p.text
		}
	}
	return Short(v)
}

// valueTicks returns four to eight round numbers with steps of 1, 2, or 5.
func valueTicks(y scale) (ticks []tick) {
	step := math.Pow(10, math.Floor(math.Log10((y.high-y.low)/4)))
	for _, factor := range [...]float64{5, 2} {
		if step*factor*4 <= y.high-y.low {
			step *= factor
			break
		}
	}
	for n := math.Ceil(y.low / step); n*step <= y.high && len(ticks) < 20; n++ {
		ticks = append(ticks, tick{coordinate(y.at(n * step)), scaled(n*step + 0)}) // + 0 avoids -0
	}
	return ticks
}

const day = 24 * time.Hour

var timeSteps = []time.Duration{
	time.Millisecond, 10 * time.Millisecond, 100 * time.Millisecond, time.Second, 5 * time.Second, 15 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute,
	time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, day, 2 * day, 7 * day, 14 * day, 30 * day, 90 * day, 365 * day,
}

// timeTicks returns at most nine round times in UTC.
func timeTicks(first, last int64, x scale) (ticks []tick) {
	i, _ := slices.BinarySearchFunc(timeSteps, time.Duration(last-first)/9+1, cmp.Compare[time.Duration])
	step := timeSteps[min(i, len(timeSteps)-1)]
	for t := first - first%int64(step) + int64(step); t <= last && len(ticks) < 200; t += int64(step) {
		at := time.Unix(0, t).UTC()
		label := at.Format("15:04:05")
		switch {
		case step >= 90*day:
			label = at.Format("Jan 2006")
		case step >= day || at.Truncate(day).Equal(at):
			label = at.Format("2 Jan")
		case step >= time.Minute:
			label = at.Format("15:04")
		case step < time.Second:
			label = at.Format("05.000")
		}
		ticks = append(ticks, tick{coordinate(x.at(float64(t))), label})
	}
	return ticks
}
