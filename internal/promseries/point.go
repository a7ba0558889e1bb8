// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package promseries

import (
	"cmp"
	"math"
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// Sample is a value with a timestamp in milliseconds.
type Sample struct {
	T int64
	V float64
}

// Point is a data point rebuilt from samples.
type Point struct {
	T int64
	V float64
	// Shape is set for histograms and summaries, else nil.
	Shape *Shape
}

// Shape holds the fields of a histogram or summary point except the timestamp.
type Shape struct {
	Count, Sum float64
	HasSum     bool
	// At holds the upper bounds of buckets, the last one infinite, or the quantiles of a summary.
	// Values holds the cumulative counts, or the values of the quantiles.
	At, Values []float64
}

// Part is one series of a histogram or summary: a bucket with its upper bound, or a quantile.
type Part struct {
	At      float64
	Samples []Sample
}

// Stream holds the series of one stream. A value or rate has one part.
type Stream struct {
	Parts      []Part
	Count, Sum []Sample
}

// Points returns the data points of a stream. Samples with the same timestamp form one point.
// Incomplete points are omitted.
func (s *Stream) Points(k Kind) []Point {
	if k == Value || k == Rate {
		if len(s.Parts) == 0 {
			return nil
		}
		list := make([]Point, len(s.Parts[0].Samples))
		for i, sample := range s.Parts[0].Samples {
			list[i] = Point{T: sample.T, V: sample.V}
		}
		return list
	}
	slices.SortFunc(s.Parts, func(x, y Part) int { return cmp.Compare(x.At, y.At) })
	next := make([]int, len(s.Parts))
	sum := 0
	list := make([]Point, 0, len(s.Count))
	for _, count := range s.Count {
		shape := &Shape{Count: count.V, At: make([]float64, 0, len(s.Parts)), Values: make([]float64, 0, len(s.Parts))}
		shape.Sum, shape.HasSum = valueAt(s.Sum, &sum, count.T)
		for i := range s.Parts {
			if v, ok := valueAt(s.Parts[i].Samples, &next[i], count.T); ok {
				shape.At, shape.Values = append(shape.At, s.Parts[i].At), append(shape.Values, v)
			}
		}
		if shape.whole(k) {
			list = append(list, Point{T: count.T, Shape: shape})
		}
	}
	return list
}

// valueAt returns the sample at time t. The search starts at next, which valueAt advances.
func valueAt(samples []Sample, next *int, t int64) (float64, bool) {
	for *next < len(samples) && samples[*next].T < t {
		*next++
	}
	if *next < len(samples) && samples[*next].T == t {
		return samples[*next].V, true
	}
	return 0, false
}

// staleBits are the bits of the NaN that marks the end of a series.
const staleBits = 0x7ff0000000000002

// Ended reports whether this point ends the stream.
func (s *Shape) Ended() bool { return math.Float64bits(s.Count) == staleBits }

// whole reports whether a shape forms a complete point: counts are integers, bucket counts rise
// up to the total, and either all parts end or none.
func (s *Shape) whole(k Kind) bool {
	ended := s.Ended()
	if !ended && !isCount(s.Count) {
		return false
	}
	if k == Summary {
		return s.HasSum
	}
	n := len(s.At)
	// A partly written or scraped point would look like a counter reset.
	if n == 0 || !math.IsInf(s.At[n-1], 1) || !ended && s.Values[n-1] != s.Count {
		return false
	}
	before := 0.0
	for i, v := range s.Values {
		if i > 0 && s.At[i] == s.At[i-1] {
			return false
		}
		if ended {
			if math.Float64bits(v) != staleBits {
				return false
			}
			continue
		}
		if !isCount(v) || v < before {
			return false
		}
		before = v
	}
	return true
}

func isCount(v float64) bool { return v >= 0 && v < 1<<63 && v == math.Trunc(v) }

// Stamp converts milliseconds to an OTLP timestamp.
func Stamp(ms int64) pcommon.Timestamp { return pcommon.Timestamp(ms * 1e6) }

// Histogram writes the point to a histogram data point.
func (p *Point) Histogram(dp pmetric.HistogramDataPoint) {
	dp.SetTimestamp(Stamp(p.T))
	s := p.Shape
	dp.ExplicitBounds().FromRaw(s.At[:len(s.At)-1])
	counts := make([]uint64, len(s.Values))
	if s.Ended() {
		dp.SetFlags(pmetric.DefaultDataPointFlags.WithNoRecordedValue(true))
	} else {
		dp.SetCount(uint64(s.Count))
		if s.HasSum {
			dp.SetSum(s.Sum)
		}
		before := uint64(0)
		for i, v := range s.Values {
			counts[i] = uint64(v) - before
			before = uint64(v)
		}
	}
	dp.BucketCounts().FromRaw(counts)
}

// Summary writes the point to a summary data point.
func (p *Point) Summary(dp pmetric.SummaryDataPoint) {
	dp.SetTimestamp(Stamp(p.T))
	s := p.Shape
	ended := s.Ended()
	if ended {
		dp.SetFlags(pmetric.DefaultDataPointFlags.WithNoRecordedValue(true))
	} else {
		dp.SetCount(uint64(s.Count))
		dp.SetSum(s.Sum)
	}
	for i, q := range s.At {
		v := dp.QuantileValues().AppendEmpty()
		v.SetQuantile(q)
		if !ended {
			v.SetValue(s.Values[i])
		}
	}
}
