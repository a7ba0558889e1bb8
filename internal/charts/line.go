// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package charts

import (
	"math"
	"slices"
	"unsafe"
)

// Point is one point of a series with its prediction, or several merged points. Expected, Lower, and Upper are NaN
// without a prediction.
type Point struct {
	// Time is the event time of the last merged point, in nanoseconds since 1970.
	Time int64
	// Value is the mean. Min and Max are the extremes.
	Value, Min, Max        float32
	Expected, Lower, Upper float32
	// Score is the greatest score.
	Score float32
}

const (
	levels = 3
	// mergeBy is the number of points of a level that are merged into one of the next.
	mergeBy = 8
	// fullRaw and fullMerged are the numbers of points in a level from which the older half is merged into the next
	// level. Only age limits the last level.
	fullRaw, fullMerged = 512, 1024

	pointBytes = int(unsafe.Sizeof(Point{}))
	// lineBytes is the approximate size of a series without its points.
	lineBytes = 192
)

// line holds the points of one series. levels[0] is the newest.
type line struct {
	levels [levels][]Point
	pinned int64 // time on the clock of Pin; 0 if never
}

// add appends a point. It removes points at or after its time, because the clock of the sender was set back.
func (l *line) add(p Point) {
	for i := range l.levels {
		for n := len(l.levels[i]); n > 0 && l.levels[i][n-1].Time >= p.Time; n-- {
			l.levels[i] = l.levels[i][:n-1]
		}
	}
	l.levels[0] = append(l.levels[0], p)
	for i, full := range [...]int{fullRaw, fullMerged} {
		if len(l.levels[i]) < full {
			return
		}
		half := l.levels[i][:full/2]
		for j := 0; j < len(half); j += mergeBy {
			l.levels[i+1] = append(l.levels[i+1], merge(half[j:j+mergeBy]))
		}
		l.levels[i] = append(l.levels[i][:0], l.levels[i][full/2:]...)
	}
}

// merge merges several points into one.
func merge(points []Point) Point {
	out := points[len(points)-1]
	var value, expected, lower, upper mean
	for _, p := range points {
		value.add(p.Value)
		expected.add(p.Expected)
		lower.add(p.Lower)
		upper.add(p.Upper)
		out.Min, out.Max, out.Score = min(out.Min, p.Min), max(out.Max, p.Max), max(out.Score, p.Score)
	}
	out.Value, out.Expected, out.Lower, out.Upper = value.of(), expected.of(), lower.of(), upper.of()
	return out
}

// mean computes the mean of the numbers that are not NaN.
type mean struct {
	sum float64
	n   int
}

func (m *mean) add(v float32) {
	if v == v {
		m.sum += float64(v)
		m.n++
	}
}

func (m *mean) of() float32 {
	if m.n == 0 {
		return float32(math.NaN())
	}
	return float32(m.sum / float64(m.n))
}

// points returns the points in a range of event time, oldest first.
func (l *line) points(from, to int64) (list []Point) {
	for i := levels - 1; i >= 0; i-- {
		for _, p := range l.levels[i] {
			if p.Time >= from && p.Time <= to {
				list = append(list, p)
			}
		}
	}
	return list
}

// last returns the event time of the newest point, or 0.
func (l *line) last() int64 {
	for _, level := range l.levels {
		if n := len(level); n > 0 {
			return level[n-1].Time
		}
	}
	return 0
}

func (l *line) len() (n int) {
	for _, level := range l.levels {
		n += len(level)
	}
	return n
}

func (l *line) bytes() (n int) {
	for _, level := range l.levels {
		n += cap(level) * pointBytes
	}
	return n + lineBytes
}

// trim removes the points before an event time.
func (l *line) trim(before int64) {
	for i := range l.levels {
		n := 0
		for n < len(l.levels[i]) && l.levels[i][n].Time < before {
			n++
		}
		l.drop(i, n)
	}
}

// halve removes the oldest half of the points, including the last one.
func (l *line) halve() {
	n := (l.len() + 1) / 2
	for i := levels - 1; i >= 0; i-- {
		from := min(n, len(l.levels[i]))
		l.drop(i, from)
		n -= from
	}
}

// drop removes the first n points of a level and frees their memory.
func (l *line) drop(level, n int) {
	if n > 0 {
		l.levels[level] = slices.Clip(slices.Clone(l.levels[level][n:]))
	}
}
