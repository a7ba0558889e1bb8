// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package charts

import (
	"container/list"
	"math"
	"slices"
	"time"
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
	// hour is the span that points are merged to when there is no room, keepNewest
	// bounds the newest points that are not.
	hour       = int64(time.Hour)
	keepNewest = 64

	pointBytes = int(unsafe.Sizeof(Point{}))
	// lineBytes is the approximate size of a series without its points.
	lineBytes = 192
)

// line holds the points of one series. levels[0] is the newest. Record reads the first fields, which share a cache line.
type line struct {
	store  *Store  // nil if the line is in none
	ribbon *ribbon // of the service; nil until it is known
	last   int64   // event time of the newest point, or 0
	pinned int64   // time on the clock of Pin; 0 if it is not pinned
	levels [levels][]Point
	id     uint64
	place  *list.Element
}

// add appends a point and returns the bytes by which the line grows. It removes points at or after its time, because
// the clock of the sender was set back.
func (l *line) add(p Point) (grown int) {
	if newest := &l.levels[0]; p.Time > l.last && len(*newest) < cap(*newest) && len(*newest)+1 < fullRaw {
		*newest, l.last = append(*newest, p), p.Time
		return 0 // as nearly every point
	}
	before := l.bytes()
	for i := range l.levels {
		for n := len(l.levels[i]); n > 0 && l.levels[i][n-1].Time >= p.Time; n-- {
			l.levels[i] = l.levels[i][:n-1]
		}
	}
	l.levels[0], l.last = append(l.levels[0], p), p.Time
	for i, full := range [...]int{fullRaw, fullMerged} {
		if len(l.levels[i]) < full {
			break
		}
		half := l.levels[i][:full/2]
		for j := 0; j < len(half); j += mergeBy {
			l.levels[i+1] = append(l.levels[i+1], merge(half[j:j+mergeBy]))
		}
		l.levels[i] = append(l.levels[i][:0], l.levels[i][full/2:]...)
	}
	return l.bytes() - before
}

// merge makes one point of several neighbors that stand for equal spans of time.
func merge(points []Point) Point {
	return mergeSpans(points, func(int) float64 { return 1 })
}

// mergeSpans makes one point of several neighbors. span is the length of time that the point at an index stands for.
func mergeSpans(points []Point, span func(i int) float64) Point {
	out := points[len(points)-1]
	var value, expected, lower, upper mean
	for i, p := range points {
		w := span(i)
		value.add(p.Value, w)
		expected.add(p.Expected, w)
		lower.add(p.Lower, w)
		upper.add(p.Upper, w)
		out.Min, out.Max, out.Score = min(out.Min, p.Min), max(out.Max, p.Max), max(out.Score, p.Score)
	}
	out.Value, out.Expected, out.Lower, out.Upper = value.of(), expected.of(), lower.of(), upper.of()
	return out
}

// mean is the weighted mean of the numbers among what it is given.
type mean struct{ sum, weight float64 }

func (m *mean) add(v float32, weight float64) {
	if v == v {
		m.sum += float64(float64(v) * weight)
		m.weight += weight
	}
}

func (m *mean) of() float32 {
	if m.weight == 0 {
		return float32(math.NaN())
	}
	return float32(m.sum / m.weight)
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

// first returns the event time of the oldest point, or 0.
func (l *line) first() int64 {
	for i := levels - 1; i >= 0; i-- {
		if level := l.levels[i]; len(level) > 0 {
			return level[0].Time
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

// shrink frees memory. It merges the points of each hour, except the newest. If that frees
// less than a sixteenth of the points, it drops the oldest half instead, and at last the only one.
func (l *line) shrink() {
	newest := len(l.levels[0]) - min(len(l.levels[0])/2, keepNewest)
	old := slices.Concat(l.levels[2], l.levels[1], l.levels[0][:newest])
	hours := hourly(old)
	if 16*(len(old)-len(hours)) < l.len() {
		l.dropOldest((l.len() + 1) / 2)
		return
	}
	l.drop(0, newest)
	l.levels[1], l.levels[2] = nil, slices.Clip(hours)
}

// hourly merges the points of each hour of event time. Each point stands for the time since the one before.
func hourly(points []Point) (hours []Point) {
	for from := 0; from < len(points); {
		to := from + 1
		for to < len(points) && points[to].Time/hour == points[from].Time/hour {
			to++
		}
		hours = append(hours, mergeSpans(points[from:to], func(i int) float64 {
			if from+i == 0 {
				return 1
			}
			return float64(min(points[from+i].Time-points[from+i-1].Time, hour))
		}))
		from = to
	}
	return hours
}

// dropOldest drops the n oldest points.
func (l *line) dropOldest(n int) {
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
