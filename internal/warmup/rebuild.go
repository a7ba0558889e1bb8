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
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/auspex-otel/auspex/internal/promseries"
)

// replica is one of several copies of a stream.
type replica struct {
	labels string // labels that identify the copy
	promseries.Stream
}

// add adds a series. It returns false if the series is not valid.
func (r *replica) add(m promseries.Member, s *rawSeries) bool {
	name := s.Labels[model.MetricNameLabel]
	switch {
	case m.Kind == promseries.Value || m.Kind == promseries.Rate:
		r.Parts = append(r.Parts, promseries.Part{Samples: s.Samples})
		return true
	case name == m.Base+promseries.CountSuffix:
		r.Count = s.Samples
		return true
	case name == m.Base+promseries.SumSuffix:
		r.Sum = s.Samples
		return true
	}
	label := promseries.QuantileLabel
	if m.Kind == promseries.Histogram {
		label = promseries.BucketLabel
	}
	at, err := strconv.ParseFloat(s.Labels[label], 64)
	if err != nil || math.IsNaN(at) {
		return false
	}
	r.Parts = append(r.Parts, promseries.Part{At: at, Samples: s.Samples})
	return true
}

// metricOf returns a metric with the given points and the name of the stream in the study.
func metricOf(k promseries.Kind, name string, points []promseries.Point) pmetric.Metrics {
	md := pmetric.NewMetrics()
	m := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName(name)
	switch k {
	case promseries.Histogram:
		fillHistogram(m.SetEmptyHistogram(), points)
	case promseries.Summary:
		fillSummary(m.SetEmptySummary(), points)
	case promseries.Rate:
		s := m.SetEmptySum()
		s.SetIsMonotonic(true)
		s.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
		fillNumbers(s.DataPoints(), points)
	default:
		fillNumbers(m.SetEmptyGauge().DataPoints(), points)
	}
	return md
}

func fillNumbers(dps pmetric.NumberDataPointSlice, points []promseries.Point) {
	dps.EnsureCapacity(len(points))
	for _, p := range points {
		dp := dps.AppendEmpty()
		dp.SetTimestamp(promseries.Stamp(p.T)) // the start of a count is unknown: a decrease indicates a reset
		dp.SetDoubleValue(p.V)
	}
}

func fillHistogram(h pmetric.Histogram, points []promseries.Point) {
	h.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	h.DataPoints().EnsureCapacity(len(points))
	for i := range points {
		points[i].Histogram(h.DataPoints().AppendEmpty())
	}
}

func fillSummary(s pmetric.Summary, points []promseries.Point) {
	s.DataPoints().EnsureCapacity(len(points))
	for i := range points {
		points[i].Summary(s.DataPoints().AppendEmpty())
	}
}

// merged returns one stream from its copies: the points of the copy with the most, and in its
// gaps the points of other copies that keep its usual distance from all points around. Copies
// have one source, so the count of another copy may fill a gap, while two points of one moment
// would be a wrong rate. after is the time of the last point of the previous window, in which
// another copy may have had the most points.
func merged(k promseries.Kind, copies []*replica, after int64) []promseries.Point {
	if len(copies) == 1 {
		return copies[0].Points(k)
	}
	slices.SortFunc(copies, func(x, y *replica) int { return strings.Compare(x.labels, y.labels) })
	lists := make([][]promseries.Point, 0, len(copies))
	for _, c := range copies {
		lists = append(lists, c.Points(k))
	}
	slices.SortStableFunc(lists, func(x, y []promseries.Point) int { return cmp.Compare(len(y), len(x)) })
	list := lists[0]
	distance := usualDistance(list)
	for _, other := range lists[1:] {
		list = fillGaps(list, other, distance)
	}
	return slices.DeleteFunc(list, func(p promseries.Point) bool { return p.T-after < distance/2 })
}

// usualDistance returns the median distance of two points, in milliseconds.
func usualDistance(list []promseries.Point) int64 {
	if len(list) < 2 {
		return 0
	}
	distances := make([]int64, len(list)-1)
	for i := range distances {
		distances[i] = list[i+1].T - list[i].T
	}
	slices.Sort(distances)
	return distances[len(distances)/2]
}

// fillGaps adds the points of other that have at least the given distance from every point of
// list and from each other.
func fillGaps(list, other []promseries.Point, distance int64) []promseries.Point {
	filled := make([]promseries.Point, 0, len(list))
	i := 0
	for _, p := range other {
		for i < len(list) && list[i].T <= p.T {
			filled = append(filled, list[i])
			i++
		}
		if n := len(filled); n > 0 && p.T-filled[n-1].T < max(distance, 1) || i < len(list) && list[i].T-p.T < distance {
			continue
		}
		filled = append(filled, p)
	}
	return append(filled, list[i:]...)
}
