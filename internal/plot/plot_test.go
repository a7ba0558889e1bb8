// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package plot

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	start = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	nan   = math.NaN()
)

func hour(h float64) int64 { return start.Add(time.Duration(h * float64(time.Hour))).UnixNano() }

func window(from, to float64) Window { return Window{hour(from), hour(to)} }

// at is a point at an hour, expected in the middle of its interval.
func at(h, v, lower, upper, score float64) Point {
	return Point{Time: hour(h), Min: v, Max: v, Expected: lower/2 + upper/2, Lower: lower, Upper: upper, Score: score}
}

func number(t *testing.T, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s, 64)
	require.NoError(t, err)
	return v
}

// elements counts the elements of a drawing by class, or by name without one, and fails unless it is well-formed.
func elements(t *testing.T, svg string) map[string]int {
	t.Helper()
	n, d := map[string]int{}, xml.NewDecoder(strings.NewReader(svg))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return n
		}
		require.NoError(t, err, svg)
		if e, ok := token.(xml.StartElement); ok {
			name := e.Name.Local
			for _, a := range e.Attr {
				if a.Name.Local == "class" {
					name = a.Value
				}
				assert.NotContains(t, a.Value, "%!", svg)
				assert.NotContains(t, a.Value, "NaN", svg)
				assert.NotContains(t, a.Value, "Inf", svg)
			}
			n[name]++
		}
	}
}

var coordinates = regexp.MustCompile(`[ML]([-0-9.]+) ([-0-9.]+)`)

// TestDrawing holds paths inside the view box, where they are to be seen.
func TestDrawing(t *testing.T) {
	c := Chart{Name: "a", Label: Scaled, Windows: []Window{window(1, 2), window(-9, -8)}, Marks: []Mark{{hour(2), 9, "opened"}}, Points: []Point{
		at(0, 1, nan, nan, 0), at(1, 2, 0, 2, .5), at(2, 9, 0, 2, 2), at(40, 2, -1e300, 1e300, .1),
	}}
	d, ok := c.draw(1)
	require.True(t, ok)
	assert.Equal(t, 2, strings.Count(d.Value, "M"), "nothing is drawn over the gap: %s", d.Value)
	assert.Equal(t, 2, strings.Count(d.Interval, "Z"))
	for _, m := range coordinates.FindAllStringSubmatch(d.Value, -1) {
		x, y := number(t, m[1]), number(t, m[2])
		assert.True(t, leastLeft <= x && x <= plotRight+1 && valueTop <= y && y <= valueBottom, m[0])
	}
	require.Len(t, d.Dots, 1)
	assert.Equal(t, "opened", d.Dots[0].Title)
	assert.Len(t, d.Windows, 1)
	assert.NotEmpty(t, d.TimeTicks)
	assert.Greater(t, len(d.ValueTicks), 2)
}

func TestSVG(t *testing.T) {
	c := Chart{Name: `<b>"&`, Label: func(float64) string { return `<b>"&` }, Marks: []Mark{{hour(2), 20, "<b>"}}, Points: []Point{
		at(1, 5, 0, 10, 0), at(2, 20, 0, 10, 3), at(3, 5, nan, nan, 0), at(4, 5, 0, 10, 0),
	}}
	svg := string(c.SVG(1))
	assert.NotContains(t, svg, "<b>")
	n := elements(t, svg)
	for class, want := range map[string]int{"value": 1, "interval": 1, "expected": 1, "score": 1, "dot": 1, "threshold": 1, "window": 0} {
		assert.Equal(t, want, n[class], class)
	}
	assert.Contains(t, string(Style), ".value {")
	elements(t, "<p>"+string(Legend)+"</p>")
}

func TestLabelsFit(t *testing.T) {
	wide := Chart{Label: func(float64) string { return strings.Repeat("0", 20) }, Points: []Point{at(0, 1, nan, nan, 0)}}
	d, _ := wide.draw(1)
	assert.Equal(t, 136, d.Left)
	wide.Label = func(float64) string { return strings.Repeat("0", 2000) }
	d, _ = wide.draw(1)
	assert.Equal(t, viewWidth/3, d.Left)
}

func TestDrawingOfLittle(t *testing.T) {
	assert.Empty(t, Chart{}.SVG(1))
	assert.Empty(t, Chart{Points: []Point{at(0, nan, 0, 1, 0)}}.SVG(1))
	for _, v := range []float64{0, 5, -5, math.MaxFloat64, -math.MaxFloat64, 1e-300, math.MaxFloat32, math.Inf(1), math.Inf(-1)} {
		elements(t, string(Chart{Label: Scaled, Points: []Point{at(0, v, v, v, 0)}}.SVG(1)))
	}
}

func TestTicks(t *testing.T) {
	labels := func(ticks []tick) (list []string) {
		for _, t := range ticks {
			list = append(list, t.Label)
		}
		return list
	}
	assert.Equal(t, []string{"0", "0.2", "0.4", "0.6", "0.8", "1"}, labels(valueTicks(scale{0, 1, 100, 0}, Scaled)))
	assert.Equal(t, []string{"-10 k", "-5000", "0", "5000", "10 k"}, labels(valueTicks(scale{-12000, 12000, 100, 0}, Scaled)))
	assert.Equal(t, []string{"50 M", "100 M", "150 M", "200 M"}, labels(valueTicks(scale{1e6, 2.01e8, 100, 0}, Scaled)))
	times := func(d time.Duration) []string {
		return labels(timeTicks(start.UnixNano(), start.Add(d).UnixNano(), scale{0, 1, 0, 1}))
	}
	assert.Equal(t, []string{"00:15", "00:30", "00:45", "01:00"}, times(time.Hour))
	assert.Equal(t, []string{"12:00", "18:00", "3 Mar", "06:00"}, times(49 * time.Hour)[1:5])
	for _, d := range []time.Duration{time.Second, time.Hour, day, 14 * day, 400 * day, 4000 * day} {
		assert.Less(t, len(times(d)), 13, d)
	}
}
