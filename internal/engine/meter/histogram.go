// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package meter

import (
	"math"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// histogram converts an explicit-bucket histogram point: the rate of its count and, if the count is not 0, the mean
// and three quantiles.
func (r *Meter) histogram(m pmetric.Metric, dp pmetric.HistogramDataPoint, buf []Sample) (_ []Sample, refused string) {
	if math.IsNaN(dp.Sum()) || math.IsInf(dp.Sum(), 0) {
		return buf, NotFinite
	}
	counts, bounds := dp.BucketCounts(), dp.ExplicitBounds()
	if counts.Len() != 0 && counts.Len() != bounds.Len()+1 {
		return buf, Malformed
	}
	t, start := int64(dp.Timestamp()), int64(dp.StartTimestamp())
	d := distribution{dp.Count(), dp.Sum(), dp.HasSum()}
	r.turn(m.Histogram().AggregationTemporality())
	fell := !r.Delta && (d.count < r.count || !r.sameBuckets(counts, bounds))
	if seconds, since := r.span(t, start, fell); seconds > 0 {
		var some bool
		if buf, some = r.counted(d, seconds, since, buf); some && counts.Len() > 1 {
			buf = r.quantiles(counts, bounds, since, buf)
		}
	}
	r.count, r.sum = d.count, d.sum
	r.buckets, r.bounds = r.buckets[:0], r.bounds[:0]
	for i := range counts.Len() {
		r.buckets = append(r.buckets, counts.At(i))
	}
	for i := range bounds.Len() {
		r.bounds = append(r.bounds, bounds.At(i))
	}
	r.Mark(t, start)
	return buf, ""
}

func (r *Meter) sameBuckets(counts pcommon.UInt64Slice, bounds pcommon.Float64Slice) bool {
	if counts.Len() != len(r.buckets) || bounds.Len() != len(r.bounds) {
		return false
	}
	for i, b := range r.bounds {
		if bounds.At(i) != b {
			return false
		}
	}
	for i, c := range r.buckets {
		if counts.At(i) < c {
			return false
		}
	}
	return true
}

// quantiles appends three quantiles by linear interpolation within a bucket like Prometheus' histogram_quantile. The
// lowest bucket begins at 0 if its bound is positive. The highest bucket has the value of its lower bound.
func (r *Meter) quantiles(counts pcommon.UInt64Slice, bounds pcommon.Float64Slice, since bool, buf []Sample) []Sample {
	at := func(i int) float64 {
		if since {
			return float64(counts.At(i) - r.buckets[i])
		}
		return float64(counts.At(i))
	}
	total := 0.0
	for i := range counts.Len() {
		total += at(i)
	}
	if total == 0 {
		return buf
	}
	for _, s := range quantileStats {
		rank, below := float64(s.q*total), 0.0
		for i := range counts.Len() {
			c := at(i)
			if below+c < rank || c == 0 {
				below += c
				continue
			}
			buf = append(buf, Sample{s.stat, inBucket(bounds, i, (rank-below)/c)})
			break
		}
	}
	return buf
}

func inBucket(bounds pcommon.Float64Slice, i int, share float64) float64 {
	switch {
	case i == bounds.Len():
		return bounds.At(i - 1)
	case i > 0:
		return bounds.At(i-1) + float64(share*(bounds.At(i)-bounds.At(i-1)))
	case bounds.At(0) > 0:
		return float64(share * bounds.At(0))
	default:
		return bounds.At(0)
	}
}
