// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package document

import (
	"math"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// point is a data point of any type; put writes its value.
type point struct {
	attributes pcommon.Map
	t, start   pcommon.Timestamp
	flags      pmetric.DataPointFlags
	put        func(*writer)
}

// points lists the data points of a metric in the order of SubsetMetrics.
func points(m pmetric.Metric) (ps []point) {
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		return numbers(m.Gauge().DataPoints())
	case pmetric.MetricTypeSum:
		return numbers(m.Sum().DataPoints())
	case pmetric.MetricTypeHistogram:
		for _, dp := range m.Histogram().DataPoints().All() {
			ps = append(ps, point{dp.Attributes(), dp.Timestamp(), dp.StartTimestamp(), dp.Flags(), func(w *writer) { histogram(w, dp) }})
		}
	case pmetric.MetricTypeExponentialHistogram:
		for _, dp := range m.ExponentialHistogram().DataPoints().All() {
			ps = append(ps, point{dp.Attributes(), dp.Timestamp(), dp.StartTimestamp(), dp.Flags(), func(w *writer) { exponential(w, dp) }})
		}
	case pmetric.MetricTypeSummary:
		for _, dp := range m.Summary().DataPoints().All() {
			ps = append(ps, point{dp.Attributes(), dp.Timestamp(), dp.StartTimestamp(), dp.Flags(), func(w *writer) { summary(w, dp) }})
		}
	}
	return ps
}

func numbers(dps pmetric.NumberDataPointSlice) []point {
	ps := make([]point, 0, dps.Len())
	for _, dp := range dps.All() {
		ps = append(ps, point{dp.Attributes(), dp.Timestamp(), dp.StartTimestamp(), dp.Flags(), func(w *writer) {
			if dp.ValueType() == pmetric.NumberDataPointValueTypeInt {
				w.integer(dp.IntValue())
				return
			}
			w.double(dp.DoubleValue())
		}})
	}
	return ps
}

// bucket is a count of values that are represented by one value.
type bucket struct {
	at    float64
	count uint64
}

// distribution writes counts and values for Elasticsearch's field type histogram, and totals for
// other mappings.
func distribution(w *writer, count uint64, sum float64, hasSum bool, buckets []bucket) {
	w.open('{')
	w.key("value_count")
	w.unsigned(count)
	if hasSum {
		w.key("sum")
		w.double(sum)
	}
	if len(buckets) > 0 {
		w.key("counts")
		w.open('[')
		for _, b := range buckets {
			w.unsigned(b.count)
		}
		w.close(']')
		w.key("values")
		w.open('[')
		for _, b := range buckets {
			w.double(b.at)
		}
		w.close(']')
	}
	w.close('}')
}

func summary(w *writer, dp pmetric.SummaryDataPoint) {
	distribution(w, dp.Count(), dp.Sum(), true, nil)
}

// histogram represents each bucket by its midpoint, the last one, which is unbounded, by its
// lower bound, and the first one by half its upper bound if that is above 0.
func histogram(w *writer, dp pmetric.HistogramDataPoint) {
	bounds, counts := dp.ExplicitBounds(), dp.BucketCounts()
	var buckets []bucket
	for i, n := range counts.All() {
		if n == 0 || counts.Len() != bounds.Len()+1 {
			continue
		}
		var at float64
		switch {
		case bounds.Len() == 0:
			if at = dp.Sum() / float64(dp.Count()); !dp.HasSum() {
				continue
			}
		case i == 0:
			if at = bounds.At(0); at > 0 {
				at /= 2
			}
		case i == bounds.Len():
			at = bounds.At(i - 1)
		default:
			at = bounds.At(i-1) + (bounds.At(i)-bounds.At(i-1))/2
		}
		buckets = append(buckets, bucket{at, n})
	}
	distribution(w, dp.Count(), dp.Sum(), dp.HasSum(), buckets)
}

// exponential represents each bucket by its midpoint. Bucket i of scale s spans base^i to
// base^(i+1), with base = 2^(2^-s).
func exponential(w *writer, dp pmetric.ExponentialHistogramDataPoint) {
	base := math.Exp2(math.Exp2(float64(-dp.Scale())))
	middle := func(b pmetric.ExponentialHistogramDataPointBuckets, i int) float64 {
		return math.Pow(base, float64(int(b.Offset())+i)) * (1 + base) / 2
	}
	var buckets []bucket
	for i := dp.Negative().BucketCounts().Len() - 1; i >= 0; i-- {
		if n := dp.Negative().BucketCounts().At(i); n > 0 {
			buckets = append(buckets, bucket{-middle(dp.Negative(), i), n})
		}
	}
	if dp.ZeroCount() > 0 {
		buckets = append(buckets, bucket{0, dp.ZeroCount()})
	}
	for i, n := range dp.Positive().BucketCounts().All() {
		if n > 0 {
			buckets = append(buckets, bucket{middle(dp.Positive(), i), n})
		}
	}
	distribution(w, dp.Count(), dp.Sum(), dp.HasSum(), buckets)
}
