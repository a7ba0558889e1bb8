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
	statCount
	statErrorRatio
)

var statNames = [...]string{vocabulary.StatValue, vocabulary.StatRate, vocabulary.StatMean, vocabulary.StatP50, vocabulary.StatP95, vocabulary.StatP99, vocabulary.StatCount, vocabulary.StatErrorRatio}

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
	// exponential is nil but for a cumulative exponential histogram.
	exponential *exponentialBuckets
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
	case pmetric.MetricTypeHistogram, pmetric.MetricTypeExponentialHistogram, pmetric.MetricTypeSummary:
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

// span returns the seconds that a point covers, by the temporality that turn
// noted, and whether the last point is to be subtracted from it.
func (r *meter) span(t, start int64, fell bool) (seconds float64, since bool) {
	if r.delta {
		return r.deltaSpan(t, start), false
	}
	return r.cumulativeSpan(t, start, fell)
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

// distribution is what histograms and summaries have in common.
type distribution struct {
	count  uint64
	sum    float64
	hasSum bool
}

// counted appends the rate of a count, and the mean where something was counted
// and summed. It returns whether something was counted.
func (r *meter) counted(d distribution, seconds float64, since bool, buf []sample) (_ []sample, some bool) {
	if since {
		d.count, d.sum = d.count-r.count, d.sum-r.sum
	}
	buf = append(buf, sample{statRate, float64(d.count) / seconds})
	if d.count > 0 && d.hasSum {
		buf = append(buf, sample{statMean, d.sum / float64(d.count)})
	}
	return buf, d.count > 0
}

var quantileStats = [...]struct {
	stat statistic
	q    float64
}{{statP50, .5}, {statP95, .95}, {statP99, .99}}
