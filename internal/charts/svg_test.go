// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package charts

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func plain(v float64) string { return strconv.FormatFloat(v, 'g', 4, 64) }

// elements counts the elements of a drawing by class, or by name without one, and fails the test unless it is
// well-formed.
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
			}
			n[name]++
		}
	}
}

func TestSVG(t *testing.T) {
	at := func(i int, v, low, high float32) Point {
		return Point{Time: int64(i) * 60 * second, Value: v, Min: v, Max: v, Expected: (low + high) / 2, Lower: low, Upper: high}
	}
	points := []Point{at(1, 5, 0, 10), at(2, 6, 0, 10), at(3, 20, 0, 10), at(4, 5, nan, nan), at(5, 5, 0, 10), at(6, 5, 0, 10)}
	svg := SVG(points, time.Unix(180, 0), plain)
	n := elements(t, svg)
	assert.Equal(t, 1, n["out"])
	assert.Equal(t, 2, n["interval"], "an interval for each stretch that has one")
	assert.Equal(t, 1, n["opened"])
	assert.Equal(t, 4, n["axis"])
	assert.Contains(t, svg, "lowest value 0, highest value 20")
	assert.Contains(t, svg, `<line class="axis" x1="90" x2="792" y1="196.0" y2="196.0"/>`)
	assert.Contains(t, svg, `<line class="opened" x1="370.8" x2="370.8" y1="8" y2="196"/>`)
	assert.Zero(t, elements(t, SVG(points, time.Unix(9000, 0), plain))["opened"], "it lies outside")
}

func TestSVGOfOddPoints(t *testing.T) {
	for name, values := range map[string][]float32{
		"one level": {3, 3}, "nothing but NaN": {nan, nan}, "infinite": {float32(math.Inf(1)), 1}, "greatest": {math.MaxFloat32, -math.MaxFloat32}, "zero": {0, 0},
	} {
		var points []Point
		for i, v := range values {
			points = append(points, Point{Time: int64(i+1) * second, Value: v, Min: v, Max: v, Expected: nan, Lower: nan, Upper: nan})
		}
		t.Run(name, func(t *testing.T) { elements(t, SVG(points, time.Time{}, plain)) })
	}
	points := []Point{{Time: second, Max: 1, Upper: 1}, {Time: 2 * second}}
	assert.NotContains(t, SVG(points, time.Time{}, func(float64) string { return `<b>"&` }), "<b>")
}
