// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package charts

import (
	"fmt"
	"html"
	"math"
	"strings"
	"time"
)

// Size of a drawing and its margins for labels.
const (
	svgWidth, svgHeight        = 800, 220
	svgLeft, svgBottom, svgTop = 90, 24, 8
	svgPlotWidth               = svgWidth - svgLeft - 8
	svgPlotHeight              = svgHeight - svgBottom - svgTop
)

// SVG draws points with their prediction interval, and a line at the time at which an anomaly opened. label formats a
// value. The style of the page sets the colors of the classes interval, value, expected, out, opened, and axis. SVG
// needs at least two points.
func SVG(points []Point, opened time.Time, label func(float64) string) string {
	var b strings.Builder
	d := scaleOf(points)
	title := fmt.Sprintf("From %s to %s: lowest value %s, highest value %s",
		stamp(points[0].Time), stamp(points[len(points)-1].Time), label(d.low), label(d.high))
	fmt.Fprintf(&b, `<svg viewBox="0 0 %d %d" role="img" aria-label="%s">`, svgWidth, svgHeight, html.EscapeString(title))
	for i := range 4 {
		v := d.low + (d.high-d.low)*float64(i)/3
		fmt.Fprintf(&b, `<line class="axis" x1="%d" x2="%d" y1="%.1f" y2="%.1[3]f"/><text x="%d" y="%.1f" text-anchor="end">%s</text>`,
			svgLeft, svgWidth-8, d.y(v), svgLeft-6, d.y(v)+4, html.EscapeString(label(v)))
		t := d.from + (d.to-d.from)/3*int64(i)
		fmt.Fprintf(&b, `<text x="%.1f" y="%d" text-anchor="%s">%s</text>`, d.x(t), svgHeight-6, [...]string{"start", "middle", "middle", "end"}[i], stamp(t))
	}
	d.interval(&b, points)
	d.path(&b, "expected", points, func(p Point) float32 { return p.Expected })
	d.path(&b, "value", points, func(p Point) float32 { return p.Value })
	for _, p := range points {
		if p.Max > p.Upper || p.Min < p.Lower {
			fmt.Fprintf(&b, `<circle class="out" cx="%.1f" cy="%.1f" r="2.5"/>`, d.x(p.Time), d.y(float64(p.Value)))
		}
	}
	if t := opened.UnixNano(); t >= d.from && t <= d.to {
		fmt.Fprintf(&b, `<line class="opened" x1="%.1f" x2="%.1[1]f" y1="%d" y2="%d"/>`, d.x(t), svgTop, svgTop+svgPlotHeight)
	}
	b.WriteString("</svg>")
	return b.String()
}

func stamp(t int64) string { return time.Unix(0, t).UTC().Format("15:04 MST") }

// scale maps times and values to coordinates.
type scale struct {
	from, to  int64
	low, high float64
}

func scaleOf(points []Point) scale {
	d := scale{points[0].Time, points[len(points)-1].Time, math.Inf(1), math.Inf(-1)}
	for _, p := range points {
		for _, v := range [...]float32{p.Min, p.Max, p.Lower, p.Upper} {
			if v := float64(v); !math.IsNaN(v) && math.Abs(v) < math.MaxFloat32 {
				d.low, d.high = min(d.low, v), max(d.high, v)
			}
		}
	}
	if !(d.low <= d.high) {
		d.low, d.high = 0, 1
	}
	if d.low == d.high {
		d.low, d.high = d.low-math.Abs(d.low)/2-.5, d.high+math.Abs(d.high)/2+.5
	}
	return d
}

func (d *scale) x(t int64) float64 {
	return svgLeft + svgPlotWidth*float64(t-d.from)/float64(max(1, d.to-d.from))
}

func (d *scale) y(v float64) float64 {
	v = min(d.high, max(d.low, v))
	return svgTop + svgPlotHeight*(d.high-v)/(d.high-d.low)
}

// path draws a line through the values that are not NaN.
func (d *scale) path(b *strings.Builder, class string, points []Point, of func(Point) float32) {
	fmt.Fprintf(b, `<path class="%s" d="`, class)
	verb := "M"
	for _, p := range points {
		v := of(p)
		if v != v {
			verb = "M"
			continue
		}
		fmt.Fprintf(b, "%s%.1f %.1f", verb, d.x(p.Time), d.y(float64(v)))
		verb = "L"
	}
	b.WriteString(`"/>`)
}

// interval draws a polygon for each run of points with an interval.
func (d *scale) interval(b *strings.Builder, points []Point) {
	for i := 0; i < len(points); {
		n := i
		for n < len(points) && points[n].Lower == points[n].Lower && points[n].Upper == points[n].Upper {
			n++
		}
		if n-i > 1 {
			b.WriteString(`<polygon class="interval" points="`)
			for _, p := range points[i:n] {
				fmt.Fprintf(b, "%.1f,%.1f ", d.x(p.Time), d.y(float64(p.Upper)))
			}
			for k := n - 1; k >= i; k-- {
				fmt.Fprintf(b, "%.1f,%.1f ", d.x(points[k].Time), d.y(float64(points[k].Lower)))
			}
			b.WriteString(`"/>`)
		}
		i = max(n, i+1)
	}
}
