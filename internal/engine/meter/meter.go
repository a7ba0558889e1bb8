// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package meter

import (
	"math"

	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/auspex-otel/auspex/internal/state"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// Reasons why a data point has no samples.
const (
	NotFinite = "not_finite"
	Malformed = "malformed"
)

// Statistic identifies the number of a data point that a sample holds. It is part of the
// identity of a series and of the state on disk.
type Statistic uint8

// Statistics. Count and ErrorRatio belong to series that the engine derives from logs and spans. Data points do not
// have them.
const (
	Value Statistic = iota
	Rate
	Mean
	P50
	P95
	P99
	Count
	ErrorRatio
	statistics
)

var names = [statistics]string{
	vocabulary.StatValue, vocabulary.StatRate, vocabulary.StatMean, vocabulary.StatP50, vocabulary.StatP95, vocabulary.StatP99,
	vocabulary.StatCount, vocabulary.StatErrorRatio,
}

// String returns the name in the vocabulary.
func (s Statistic) String() string { return names[s] }

// Persist writes or reads a statistic. Reading an unknown one is an error.
func (s *Statistic) Persist(c *state.Codec) {
	c.Uint8((*uint8)(s))
	if *s >= statistics {
		*s = Value
		c.Check(false)
	}
}

// Statistics of each kind of metric.
var (
	valueStats     = []Statistic{Value}
	rateStats      = []Statistic{Rate}
	histogramStats = []Statistic{Rate, Mean, P50, P95, P99}
)

// MostSamples is the largest number of samples of one data point.
const MostSamples = 5

// Sample is one statistic of one data point.
type Sample struct {
	Statistic Statistic
	Value     float64
}

// Meter converts the data points of one stream to samples. It remembers the last point, because a rate needs two. The
// zero value has no last point.
type Meter struct {
	// Seen reports whether there was a point, Delta whether its temporality was delta.
	// Start and Time are its times in nanoseconds since the Unix epoch.
	Seen, Delta bool
	Start, Time int64

	value float64
	count uint64
	sum   float64
	// buckets holds the last cumulative counts, bounds their upper bounds.
	buckets []uint64
	bounds  []float64
	// exponential is nil unless the point was a cumulative exponential histogram.
	exponential *exponentialBuckets
}

// StatisticsOf returns the statistics of a metric, or nil for a metric without data.
func StatisticsOf(m pmetric.Metric) []Statistic {
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

// Observe appends the samples of data point i of a metric to buf. A rejected point, for the returned reason, does not
// change the meter.
func (r *Meter) Observe(m pmetric.Metric, i int, buf []Sample) (_ []Sample, refused string) {
	switch m.Type() {
	case pmetric.MetricTypeHistogram:
		return r.histogram(m, m.Histogram().DataPoints().At(i), buf)
	case pmetric.MetricTypeExponentialHistogram:
		return r.exponentialHistogram(m, m.ExponentialHistogram().DataPoints().At(i), buf)
	case pmetric.MetricTypeSummary:
		return r.summary(m.Summary().DataPoints().At(i), buf)
	case pmetric.MetricTypeGauge:
		return r.number(m, m.Gauge().DataPoints().At(i), buf)
	default:
		return r.number(m, m.Sum().DataPoints().At(i), buf)
	}
}

// number converts a gauge or sum point.
func (r *Meter) number(m pmetric.Metric, dp pmetric.NumberDataPoint, buf []Sample) (_ []Sample, refused string) {
	v := dp.DoubleValue()
	if dp.ValueType() == pmetric.NumberDataPointValueTypeInt {
		v = float64(dp.IntValue())
	}
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return buf, NotFinite
	}
	t, start := int64(dp.Timestamp()), int64(dp.StartTimestamp())
	if StatisticsOf(m)[0] == Value {
		r.Mark(t, start)
		return append(buf, Sample{Value, v}), ""
	}
	r.turn(m.Sum().AggregationTemporality())
	if r.Delta {
		if seconds := r.deltaSpan(t, start); seconds > 0 {
			buf = append(buf, Sample{Rate, v / seconds})
		}
	} else if seconds, since := r.cumulativeSpan(t, start, v < r.value); seconds > 0 {
		if since {
			buf = append(buf, Sample{Rate, (v - r.value) / seconds})
		} else {
			buf = append(buf, Sample{Rate, v / seconds})
		}
	}
	r.value = v
	r.Mark(t, start)
	return buf, ""
}

// turn stores the temporality. If it changes, the last point is not used for the next.
func (r *Meter) turn(to pmetric.AggregationTemporality) {
	if delta := to == pmetric.AggregationTemporalityDelta; delta != r.Delta {
		r.Delta, r.Seen = delta, r.Seen && delta
	}
}

// Mark stores the times of a point that the caller converted itself.
func (r *Meter) Mark(t, start int64) { r.Seen, r.Time, r.Start = true, t, start }

// deltaSpan returns the seconds that a delta point covers, or 0 if unknown.
func (r *Meter) deltaSpan(t, start int64) float64 {
	if start == 0 || start >= t {
		if !r.Seen {
			return 0
		}
		start = r.Time
	}
	return float64(t-start) / 1e9
}

// span returns the seconds that a point covers, by the temporality from turn, and whether to subtract the last point
// from it.
func (r *Meter) span(t, start int64, fell bool) (seconds float64, since bool) {
	if r.Delta {
		return r.deltaSpan(t, start), false
	}
	return r.cumulativeSpan(t, start, fell)
}

// cumulativeSpan returns the seconds since the last point, and whether to subtract that point. After a reset, which a
// later start time or fell indicates, the count began at the start time. If that is unknown, the point has no
// samples.
func (r *Meter) cumulativeSpan(t, start int64, fell bool) (seconds float64, since bool) {
	if !r.Seen {
		return 0, false
	}
	if !fell && (start <= r.Start || start < r.Time) {
		return float64(t-r.Time) / 1e9, true
	}
	if start >= r.Time && start < t {
		return float64(t-start) / 1e9, false
	}
	return 0, false
}

// distribution holds the common values of histograms and summaries.
type distribution struct {
	count  uint64
	sum    float64
	hasSum bool
}

// counted appends the rate of a count and, if count and sum exist, the mean. It reports whether the count is not 0.
func (r *Meter) counted(d distribution, seconds float64, since bool, buf []Sample) (_ []Sample, some bool) {
	if since {
		d.count, d.sum = d.count-r.count, d.sum-r.sum
	}
	buf = append(buf, Sample{Rate, float64(d.count) / seconds})
	if d.count > 0 && d.hasSum {
		buf = append(buf, Sample{Mean, d.sum / float64(d.count)})
	}
	return buf, d.count > 0
}

var quantileStats = [...]struct {
	stat Statistic
	q    float64
}{{P50, .5}, {P95, .95}, {P99, .99}}

// Persist writes or reads the state.
func (r *Meter) Persist(c *state.Codec) {
	c.Bool(&r.Seen)
	c.Bool(&r.Delta)
	c.Int64(&r.Start)
	c.Int64(&r.Time)
	c.Bits(&r.value)
	c.Uint64(&r.count)
	c.Bits(&r.sum)
	state.List(c, &r.buckets, 8, c.Uint64)
	state.List(c, &r.bounds, 8, func(b *float64) { c.Bits(b) })
	exponential := r.exponential != nil
	if c.Bool(&exponential); !exponential {
		return
	}
	if c.Reading() {
		r.exponential = &exponentialBuckets{}
	}
	r.exponential.persist(c)
}
