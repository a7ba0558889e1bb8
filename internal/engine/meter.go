// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"math"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// statistic is the index into statNames; it is part of a series' identity and of the state on disk.
type statistic uint8

const (
	statValue statistic = iota
	statRate
	statMean
	statP50
	statP95
	statP99
)

var statNames = [...]string{vocabulary.StatValue, vocabulary.StatRate, vocabulary.StatMean, vocabulary.StatP50, vocabulary.StatP95, vocabulary.StatP99}

// The statistics of each kind of stream.
var (
	valueStats     = []statistic{statValue}
	rateStats      = []statistic{statRate}
	histogramStats = []statistic{statRate, statMean, statP50, statP95, statP99}
)

const seriesPerHistogram = 5

// A sample is one statistic of one data point.
type sample struct {
	stat statistic
	v    float64
}

// meter turns the data points of one stream into samples. It holds what the
// last point said, because a rate needs two of them.
type meter struct {
	seen  bool
	delta bool  // temporality of the last point
	start int64 // start time of the last point, nanoseconds
	time  int64 // time of the last point, nanoseconds
	value float64
	count uint64
	sum   float64
	// buckets are the last cumulative counts, bounds what they belong to.
	buckets []uint64
	bounds  []float64
}

// streamStats returns the statistics that the engine makes of a metric, or nil if it makes none.
func streamStats(m pmetric.Metric) []statistic {
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		return valueStats
	case pmetric.MetricTypeSum:
		if m.Sum().IsMonotonic() || m.Sum().AggregationTemporality() == pmetric.AggregationTemporalityDelta {
			return rateStats
		}
		return valueStats
	case pmetric.MetricTypeHistogram:
		return histogramStats
	default:
		return nil
	}
}

// number takes a gauge or sum point. Where it is refused, for the reason
// returned, nothing is remembered of it.
func (r *meter) number(m pmetric.Metric, dp pmetric.NumberDataPoint, buf []sample) (_ []sample, refused string) {
	v := dp.DoubleValue()
	if dp.ValueType() == pmetric.NumberDataPointValueTypeInt {
		v = float64(dp.IntValue())
	}
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return buf, RefusedNotFinite
	}
	t, start := nanos(dp.Timestamp()), nanos(dp.StartTimestamp())
	if streamStats(m)[0] == statValue {
		r.mark(t, start)
		return append(buf, sample{statValue, v}), ""
	}
	r.turn(m.Sum().AggregationTemporality())
	if r.delta {
		if seconds := r.deltaSpan(t, start); seconds > 0 {
			buf = append(buf, sample{statRate, v / seconds})
		}
	} else if seconds, since := r.cumulativeSpan(t, start, v < r.value); seconds > 0 {
		if since {
			buf = append(buf, sample{statRate, (v - r.value) / seconds})
		} else {
			buf = append(buf, sample{statRate, v / seconds})
		}
	}
	r.value = v
	r.mark(t, start)
	return buf, ""
}

// histogram takes an explicit-bucket histogram point: the rate of its count,
// and where something was counted the mean and three quantiles.
func (r *meter) histogram(m pmetric.Metric, dp pmetric.HistogramDataPoint, buf []sample) (_ []sample, refused string) {
	if math.IsNaN(dp.Sum()) || math.IsInf(dp.Sum(), 0) {
		return buf, RefusedNotFinite
	}
	counts, bounds := dp.BucketCounts(), dp.ExplicitBounds()
	if counts.Len() != 0 && counts.Len() != bounds.Len()+1 {
		return buf, RefusedMalformed
	}
	t, start := nanos(dp.Timestamp()), nanos(dp.StartTimestamp())
	count, sum := dp.Count(), dp.Sum()
	r.turn(m.Histogram().AggregationTemporality())
	var seconds float64
	since := false // whether the last point is to be subtracted
	if r.delta {
		seconds = r.deltaSpan(t, start)
	} else {
		seconds, since = r.cumulativeSpan(t, start, count < r.count || !r.sameBuckets(counts, bounds))
	}
	if seconds > 0 {
		c, s := count, sum
		if since {
			c, s = count-r.count, sum-r.sum
		}
		buf = append(buf, sample{statRate, float64(c) / seconds})
		if c > 0 {
			if dp.HasSum() {
				buf = append(buf, sample{statMean, s / float64(c)})
			}
			if counts.Len() > 1 {
				buf = r.quantiles(counts, bounds, since, buf)
			}
		}
	}
	r.count, r.sum = count, sum
	r.buckets, r.bounds = r.buckets[:0], r.bounds[:0]
	for i := range counts.Len() {
		r.buckets = append(r.buckets, counts.At(i))
	}
	for i := range bounds.Len() {
		r.bounds = append(r.bounds, bounds.At(i))
	}
	r.mark(t, start)
	return buf, ""
}

// turn notes the temporality. Where it changes, the last point is no help with the next.
func (r *meter) turn(to pmetric.AggregationTemporality) {
	if delta := to == pmetric.AggregationTemporalityDelta; delta != r.delta {
		r.delta, r.seen = delta, r.seen && delta
	}
}

func (r *meter) mark(t, start int64) { r.seen, r.time, r.start = true, t, start }

// nanos is a timestamp as nanoseconds since 1970, which fit until 2262; a later one comes out negative.
func nanos(t pcommon.Timestamp) int64 { return int64(t) }

// deltaSpan returns the seconds that a delta point covers, 0 if that can't be known.
func (r *meter) deltaSpan(t, start int64) float64 {
	if start == 0 || start >= t {
		if !r.seen {
			return 0
		}
		start = r.time
	}
	return float64(t-start) / 1e9
}

// cumulativeSpan returns the seconds since the last point, and whether that
// point is to be subtracted. After a reset, known by a later start time or by
// fell, the count began at the start time; where the start is not known the
// point says nothing.
func (r *meter) cumulativeSpan(t, start int64, fell bool) (seconds float64, since bool) {
	if !r.seen {
		return 0, false
	}
	if !fell && (start <= r.start || start < r.time) {
		return float64(t-r.time) / 1e9, true
	}
	if start >= r.time && start < t {
		return float64(t-start) / 1e9, false
	}
	return 0, false
}

func (r *meter) sameBuckets(counts pcommon.UInt64Slice, bounds pcommon.Float64Slice) bool {
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

var quantileStats = [...]struct {
	stat statistic
	q    float64
}{{statP50, .5}, {statP95, .95}, {statP99, .99}}

// quantiles appends three quantiles, by linear interpolation inside a bucket as
// Prometheus' histogram_quantile does it: the lowest bucket begins at 0 if its
// bound is positive, and the highest one counts as its lower bound.
func (r *meter) quantiles(counts pcommon.UInt64Slice, bounds pcommon.Float64Slice, since bool, buf []sample) []sample {
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
		rank, below := s.q*total, 0.0
		for i := range counts.Len() {
			c := at(i)
			if below+c < rank || c == 0 {
				below += c
				continue
			}
			buf = append(buf, sample{s.stat, inBucket(bounds, i, (rank-below)/c)})
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
		return bounds.At(i-1) + share*(bounds.At(i)-bounds.At(i-1))
	case bounds.At(0) > 0:
		return share * bounds.At(0)
	default:
		return bounds.At(0)
	}
}
