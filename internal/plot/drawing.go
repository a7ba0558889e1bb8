// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package plot

import (
	_ "embed" // the style sheet and the templates
	"html/template"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Geometry of a drawing, in the units of its view box: the values above, the
// scores below, one axis of time under both.
const (
	viewWidth, viewHeight     = 1000, 322
	leastLeft, plotRight      = 58, 988
	valueTop, valueBottom     = 10, 210
	scoreTop, scoreBottom     = 228, 298
	leastScoreTop, scoreAbove = 1.5, 3.0 // the axis of scores ends between these
	// labelSpace and digitWidth are the space beside a label, and about the width of one of its characters.
	labelSpace, digitWidth = 12, 6.2
)

// Style is the style sheet of drawings and legends, for light and dark themes.
//
//go:embed plot.css
var Style template.CSS

// Legend explains a drawing, as a list of spans for an element of class legend.
//
//go:embed legend.html
var Legend template.HTML

//go:embed plot.html
var pictureText string

var picture = template.Must(template.New("plot").Parse(pictureText))

// Chart holds what is drawn of one series.
type Chart struct {
	Name string
	// Points are in order of time. Points whose values are no numbers are left out.
	Points  []Point
	Marks   []Mark
	Windows []Window
	// Label writes a value at the axis.
	Label func(float64) string
}

// Point is one point of a series, or several neighbors merged into one.
type Point struct {
	Time int64 // nanoseconds since 1970
	// Min and Max are the extremes of the values.
	Min, Max float64
	// Expected, Lower, and Upper are NaN where there was no prediction.
	Expected, Lower, Upper float64
	Score                  float64
}

func (p *Point) judged() bool { return p.Expected == p.Expected }

// Mark is a point to point out, such as one at which an anomaly opened.
type Mark struct {
	Time  int64
	Value float64
	Title string
}

// Window is a span of time to shade, in nanoseconds since 1970.
type Window struct{ From, To int64 }

// drawing holds the values of the template for one chart.
type drawing struct {
	Name                                   string
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

type shade struct{ X, Width string }

// scale maps [low, high] to [from, to].
type scale struct{ low, high, from, to float64 }

func (s scale) at(v float64) float64 { return s.from + float64((v-s.low)/(s.high-s.low)*(s.to-s.from)) }

// SVG draws the chart, or returns "" without points. id must be unique within the page.
func (c Chart) SVG(id int) template.HTML {
	d, ok := c.draw(id)
	if !ok {
		return ""
	}
	var b strings.Builder
	if err := picture.Execute(&b, d); err != nil {
		return "" // a template that fits its value does not fail on a buffer
	}
	return template.HTML(b.String()) //nolint:gosec // the template has escaped all text
}

// draw makes the paths of a chart.
func (c Chart) draw(id int) (d drawing, ok bool) {
	points := slices.DeleteFunc(slices.Clone(c.Points), func(p Point) bool { return p.Min != p.Min || p.Max != p.Max })
	if len(points) == 0 {
		return d, false
	}
	y := valueScale(points)
	ticks := valueTicks(y, c.Label)
	left := leftOf(ticks)
	d = drawing{
		ID: id, Name: c.Name, Width: viewWidth, Height: viewHeight, Left: left, Right: plotRight,
		ValueTop: valueTop, ValueBottom: valueBottom, ScoreTop: scoreTop, Floor: scoreBottom,
		PlotWidth: plotRight - left, ValueHeight: valueBottom - valueTop, ScoreHeight: scoreBottom - scoreTop,
	}
	first, last := points[0].Time, points[len(points)-1].Time
	x := scale{float64(first), float64(max(last, first+int64(time.Second))), float64(left), plotRight}
	worst := 0.0
	for _, p := range points {
		worst = max(worst, p.Score)
	}
	score := scale{0, max(leastScoreTop, min(float64(worst*1.05), scoreAbove)), scoreBottom, scoreTop}
	d.paths(points, x, y, score)
	for _, m := range c.Marks {
		d.Dots = append(d.Dots, dot{coordinate(x.at(float64(m.Time))), coordinate(y.at(m.Value)), m.Title})
	}
	for _, w := range c.Windows {
		from, to := max(x.at(float64(w.From)), x.from), min(x.at(float64(w.To)), x.to)
		if to >= from {
			d.Windows = append(d.Windows, shade{coordinate(from), coordinate(max(to-from, 1))})
		}
	}
	d.Threshold = coordinate(score.at(1))
	d.TimeTicks, d.ValueTicks = timeTicks(first, last, x), ticks
	return d, true
}

// leftOf returns where the plot begins, so that the labels fit.
func leftOf(ticks []tick) int {
	longest := 0
	for _, t := range ticks {
		longest = max(longest, utf8.RuneCountInString(t.Label))
	}
	return min(max(leastLeft, int(float64(longest)*digitWidth)+labelSpace), viewWidth/3)
}

// valueScale covers all values, and the interval as far as half their range beyond them.
func valueScale(points []Point) scale {
	low, high := math.Inf(1), math.Inf(-1)
	for _, p := range points {
		low, high = min(low, p.Min), max(high, p.Max)
	}
	low, high = bounded(low), bounded(high)
	beyond := max(high-low, float64(math.Abs(high)*1e-3), 1e-9) / 2
	intervalLow, intervalHigh := low, high
	for _, p := range points {
		if p.judged() {
			intervalLow, intervalHigh = min(intervalLow, bounded(p.Lower)), max(intervalHigh, bounded(p.Upper))
		}
	}
	low, high = max(intervalLow, low-beyond), min(intervalHigh, high+beyond)
	margin := max(float64((high-low)*.04), float64(math.Abs(high)*1e-4), 1e-9)
	return scale{low - margin, high + margin, valueBottom, valueTop}
}

// paths draws lines, which break where much more time passes than usual.
func (d *drawing) paths(points []Point, x, y, score scale) {
	gap := 5 * usualDistance(points)
	var value, expected, scores path
	var intervals []byte
	var run []Point
	flush := func() {
		intervals = appendInterval(intervals, run, x, y)
		scores.close(score.from)
		run = run[:0]
	}
	for i, p := range points {
		at := x.at(float64(p.Time))
		if i > 0 && p.Time-points[i-1].Time > gap {
			value.lift()
			expected.lift()
			flush()
		}
		value.through(at, y.at(bounded(p.Min)), y.at(bounded(p.Max)))
		if !p.judged() {
			expected.lift()
			flush()
			continue
		}
		expected.to(at, y.at(bounded(p.Expected)))
		if len(run) == 0 {
			scores.to(at, score.from)
		}
		scores.to(at, max(score.at(p.Score), scoreTop-1))
		run = append(run, p)
	}
	flush()
	d.Value, d.Expected, d.Interval, d.Score = string(value.b), string(expected.b), string(intervals), string(scores.b)
}

func usualDistance(points []Point) int64 {
	distances := []int64{0}
	for i := range len(points) - 1 {
		distances = append(distances, points[i+1].Time-points[i].Time)
	}
	slices.Sort(distances)
	return max(distances[len(distances)/2], 1)
}

// appendInterval appends the closed outline of the interval over neighboring points.
func appendInterval(b []byte, run []Point, x, y scale) []byte {
	if len(run) == 0 {
		return b
	}
	edge := path{b: b}
	for _, p := range run {
		edge.to(x.at(float64(p.Time)), y.at(bounded(p.Upper)))
	}
	for i := range run {
		p := run[len(run)-1-i]
		edge.to(x.at(float64(p.Time)), y.at(bounded(p.Lower)))
	}
	return append(edge.b, 'Z')
}

// bounded returns v within what can be drawn.
func bounded(v float64) float64 { return max(-math.MaxFloat32, min(v, math.MaxFloat32)) }
