// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package warmup

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/common/model"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// point is a data point made again of samples: t in milliseconds.
type point struct {
	t int64
	v float64
	// shape is that of a histogram or a summary, else nil.
	shape *shape
}

// shape is what a histogram or a summary says beside its time.
type shape struct {
	count, sum float64
	hasSum     bool
	// at are the bounds of buckets, the last one being infinite, or the
	// quantiles of a summary; values are the cumulative counts, or the values there.
	at, values []float64
}

// part is one series of a histogram or a summary: the bucket below a bound, or a quantile.
type part struct {
	at      float64
	samples rawSamples
}

// replica is one of several copies of a stream.
type replica struct {
	labels     string // of the copy alone
	parts      []part
	count, sum rawSamples
}

// add puts a series where it belongs. It reports false if the series can't be understood.
func (r *replica) add(m member, s *rawSeries) bool {
	name := s.Labels[model.MetricNameLabel]
	switch {
	case m.kind == kindValue || m.kind == kindRate:
		r.parts = append(r.parts, part{samples: s.Samples})
		return true
	case name == m.base+countSuffix:
		r.count = s.Samples
		return true
	case name == m.base+sumSuffix:
		r.sum = s.Samples
		return true
	}
	label := quantileLabel
	if m.kind == kindHistogram {
		label = model.BucketLabel
	}
	at, err := strconv.ParseFloat(s.Labels[label], 64)
	if err != nil || math.IsNaN(at) {
		return false
	}
	r.parts = append(r.parts, part{at, s.Samples})
	return true
}

// points makes data points of the samples of one copy. Samples of one time belong together.
func (r *replica) points(k kind) []point {
	if k == kindValue || k == kindRate {
		if len(r.parts) == 0 {
			return nil
		}
		list := make([]point, len(r.parts[0].samples))
		for i, s := range r.parts[0].samples {
			list[i] = point{t: s.t, v: s.v}
		}
		return list
	}
	slices.SortFunc(r.parts, func(x, y part) int { return cmp.Compare(x.at, y.at) })
	next := make([]int, len(r.parts))
	sum := 0
	list := make([]point, 0, len(r.count))
	for _, count := range r.count {
		s := &shape{count: count.v}
		s.sum, s.hasSum = valueAt(r.sum, &sum, count.t)
		for i := range r.parts {
			if v, ok := valueAt(r.parts[i].samples, &next[i], count.t); ok {
				s.at, s.values = append(s.at, r.parts[i].at), append(s.values, v)
			}
		}
		if s.whole(k) {
			list = append(list, point{t: count.t, shape: s})
		}
	}
	return list
}

// valueAt finds the sample of a time; next is where to look from, and moves on.
func valueAt(samples rawSamples, next *int, t int64) (float64, bool) {
	for *next < len(samples) && samples[*next].t < t {
		*next++
	}
	if *next < len(samples) && samples[*next].t == t {
		return samples[*next].v, true
	}
	return 0, false
}

// whole tells whether a point can be made of a shape: counts are counts, and
// those of buckets rise up to the one that has all.
func (s *shape) whole(k kind) bool {
	if !isCount(s.count) {
		return false
	}
	if k == kindSummary {
		return s.hasSum
	}
	before := 0.0
	for _, v := range s.values {
		if !isCount(v) || v < before {
			return false
		}
		before = v
	}
	// Written or scraped halfway, it would look like a reset of the counter.
	n := len(s.at)
	return n > 0 && math.IsInf(s.at[n-1], 1) && s.values[n-1] == s.count
}

func isCount(v float64) bool { return v >= 0 && v < 1<<63 }

// metricOf makes a metric of points. Its name is that of the stream in the study.
func metricOf(k kind, name string, points []point) pmetric.Metrics {
	md := pmetric.NewMetrics()
	m := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName(name)
	switch k {
	case kindHistogram:
		fillHistogram(m.SetEmptyHistogram(), points)
	case kindSummary:
		fillSummary(m.SetEmptySummary(), points)
	case kindRate:
		s := m.SetEmptySum()
		s.SetIsMonotonic(true)
		s.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
		fillNumbers(s.DataPoints(), points)
	default:
		fillNumbers(m.SetEmptyGauge().DataPoints(), points)
	}
	return md
}

// stampOf is a time as OTLP has it. The start of a count is not known: the fall of a count tells of a reset.
func stampOf(ms int64) pcommon.Timestamp { return pcommon.Timestamp(ms * 1e6) }

func fillNumbers(dps pmetric.NumberDataPointSlice, points []point) {
	dps.EnsureCapacity(len(points))
	for _, p := range points {
		dp := dps.AppendEmpty()
		dp.SetTimestamp(stampOf(p.t))
		dp.SetDoubleValue(p.v)
	}
}

func fillHistogram(h pmetric.Histogram, points []point) {
	h.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	h.DataPoints().EnsureCapacity(len(points))
	for _, p := range points {
		dp := h.DataPoints().AppendEmpty()
		dp.SetTimestamp(stampOf(p.t))
		dp.SetCount(uint64(p.shape.count))
		if p.shape.hasSum {
			dp.SetSum(p.shape.sum)
		}
		dp.ExplicitBounds().FromRaw(p.shape.at[:len(p.shape.at)-1])
		before := uint64(0)
		for _, v := range p.shape.values {
			dp.BucketCounts().Append(uint64(v) - before)
			before = uint64(v)
		}
	}
}

func fillSummary(s pmetric.Summary, points []point) {
	s.DataPoints().EnsureCapacity(len(points))
	for _, p := range points {
		dp := s.DataPoints().AppendEmpty()
		dp.SetTimestamp(stampOf(p.t))
		dp.SetCount(uint64(p.shape.count))
		dp.SetSum(p.shape.sum)
		for i, q := range p.shape.at {
			v := dp.QuantileValues().AppendEmpty()
			v.SetQuantile(q)
			v.SetValue(p.shape.values[i])
		}
	}
}

// merged makes one stream of its copies: the points of the one that has the
// most, and in its gaps those of the others that keep its usual distance from
// every point around. Copies are of one source, so a gap filled with another's
// count is right, while two copies of one moment would be a rate of nothing.
// after is the time of the last point of the window before, where another copy may have had the most.
func merged(k kind, copies []*replica, after int64) []point {
	if len(copies) == 1 {
		return copies[0].points(k)
	}
	slices.SortFunc(copies, func(x, y *replica) int { return strings.Compare(x.labels, y.labels) })
	lists := make([][]point, 0, len(copies))
	for _, c := range copies {
		lists = append(lists, c.points(k))
	}
	slices.SortStableFunc(lists, func(x, y []point) int { return cmp.Compare(len(y), len(x)) })
	list := lists[0]
	distance := usualDistance(list)
	for _, other := range lists[1:] {
		list = fillGaps(list, other, distance)
	}
	return slices.DeleteFunc(list, func(p point) bool { return p.t-after < distance/2 })
}

// usualDistance is the median distance of two points, in milliseconds.
func usualDistance(list []point) int64 {
	if len(list) < 2 {
		return 0
	}
	distances := make([]int64, len(list)-1)
	for i := range distances {
		distances[i] = list[i+1].t - list[i].t
	}
	slices.Sort(distances)
	return distances[len(distances)/2]
}

// fillGaps adds those of other's points that lie at least distance from every point of list and from each other.
func fillGaps(list, other []point, distance int64) []point {
	filled := make([]point, 0, len(list))
	i := 0
	for _, p := range other {
		for i < len(list) && list[i].t <= p.t {
			filled = append(filled, list[i])
			i++
		}
		if n := len(filled); n > 0 && p.t-filled[n-1].t < max(distance, 1) || i < len(list) && list[i].t-p.t < distance {
			continue
		}
		filled = append(filled, p)
	}
	return append(filled, list[i:]...)
}
