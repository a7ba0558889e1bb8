// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package prometheusremotewritereceiver

import (
	"math"
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/auspex-otel/auspex/internal/promseries"
	"github.com/auspex-otel/auspex/internal/series"
	"github.com/auspex-otel/auspex/internal/wire/promwrite"
)

// stream holds the series of a classic histogram or a summary.
type stream struct {
	promseries.Stream
	id    series.ID
	kind  promseries.Kind
	base  string
	parts []*item
}

// shape is the number of parts of the last complete point of a stream.
type shape struct {
	parts  int // buckets or quantiles
	sum    bool
	misses uint8 // number of consecutive points with fewer parts
}

// enoughMisses is the number of consecutive points after which a smaller number of parts is
// complete.
const enoughMisses = 8

// addPart adds a series to its stream. It returns false if the series cannot be a part.
func (w *writing) addPart(it *item, m promseries.Member) bool {
	label, text := promseries.BucketLabel, it.le
	if m.Kind == promseries.Summary {
		label, text = promseries.QuantileLabel, it.quantile
	}
	at, numbered := 0.0, it.name != m.Base+promseries.CountSuffix && it.name != m.Base+promseries.SumSuffix
	if !numbered && text != "" {
		return false // its label belongs to no part
	}
	if numbered {
		var err error
		if at, err = strconv.ParseFloat(text, 64); err != nil || math.IsNaN(at) {
			return false
		}
	}
	id := it.identity(m.Base, label)
	s := w.byID[id]
	if s == nil {
		s = &stream{id: id, kind: m.Kind, base: m.Base}
		if w.byID == nil {
			w.byID = map[series.ID]*stream{}
		}
		w.byID[id] = s
		w.streams = append(w.streams, s)
	}
	samples := make([]promseries.Sample, len(it.Samples))
	for i, sample := range it.Samples {
		samples[i] = promseries.Sample{T: sample.Time, V: sample.Value}
	}
	switch {
	case numbered:
		s.Parts = append(s.Parts, promseries.Part{At: at, Samples: samples})
	case it.name == m.Base+promseries.CountSuffix:
		s.Count = append(s.Count, samples...)
	default:
		s.Sum = append(s.Sum, samples...)
	}
	s.parts = append(s.parts, it)
	return true
}

// writeStream writes a complete point of a stream as one data point. Samples whose other parts
// are in another request become gauges with their own names. Nothing is held back, because
// acknowledged data must not exist in memory only.
func (w *writing) writeStream(s *stream) {
	whole := map[int64]bool{}
	points := s.Points(s.kind)
	for i := range points {
		if p := &points[i]; w.complete(s.id, p.Shape) {
			whole[p.T] = true
			w.writePoint(s, p)
		}
	}
	for _, it := range s.parts {
		for i := range it.Samples {
			if !whole[it.Samples[i].Time] {
				w.reading.fragments++
				w.number(it, formGauge, &it.Samples[i])
			}
		}
	}
}

// complete reports whether a point has all parts that its stream had before.
func (t *translator) complete(id series.ID, p *promseries.Shape) bool {
	if p.Ended() {
		return true
	}
	now := shape{parts: len(p.At), sum: p.HasSum}
	if before, ok := t.shapes.get(id); ok && (now.parts < before.parts || before.sum && !now.sum) {
		if before.misses++; before.misses < enoughMisses {
			t.shapes.put(id, before)
			return false
		}
	}
	t.shapes.put(id, now)
	return true
}

func (w *writing) writePoint(s *stream, p *promseries.Point) {
	it := s.parts[0]
	start := s.start(p.T)
	if s.kind == promseries.Summary {
		dp := w.batch.metric(it, s.base, formSummary).Summary().DataPoints().AppendEmpty()
		p.Summary(dp)
		dp.SetStartTimestamp(start)
		it.attributes(dp.Attributes(), promseries.QuantileLabel)
		return
	}
	dp := w.batch.metric(it, s.base, formPart).Histogram().DataPoints().AppendEmpty()
	p.Histogram(dp)
	dp.SetStartTimestamp(start)
	it.attributes(dp.Attributes(), promseries.BucketLabel)
	if w.exemplary {
		w.attach(s.id, dp.Exemplars(), p.T)
	}
}

// start returns the start time of the parts of a point.
func (s *stream) start(t int64) pcommon.Timestamp {
	for _, it := range s.parts {
		for i := range it.Samples {
			if it.Samples[i].Time == t && it.Samples[i].Start > 0 {
				return promseries.Stamp(it.Samples[i].Start)
			}
		}
	}
	return 0
}

// native writes a native histogram. It rejects gauge histograms, which have no form in
// OpenTelemetry.
func (w *writing) native(it *item, h *promwrite.Histogram) {
	if h.Hint == promwrite.HintGauge {
		w.reading.histograms--
		w.reading.Refused(promwrite.Fault{Reason: reasonGaugeHistogram, Detail: "a gauge histogram, " + strconv.Quote(it.name) + ", has no form in OpenTelemetry", Histograms: 1})
		return
	}
	if it.meta.Type == promwrite.TypeUnknown {
		it.meta.Type = promwrite.TypeHistogram
	}
	if h.Schema == promwrite.CustomBounds {
		dp := w.batch.metric(it, it.name, formBounds).Histogram().DataPoints().AppendEmpty()
		writeBounds(dp, h)
		it.attributes(dp.Attributes(), "")
		w.attachNative(it, h, dp.Exemplars())
		return
	}
	dp := w.batch.metric(it, it.name, formHistogram).ExponentialHistogram().DataPoints().AppendEmpty()
	writeExponential(dp, h)
	it.attributes(dp.Attributes(), "")
	w.attachNative(it, h, dp.Exemplars())
}

// reasonGaugeHistogram complements the reasons of the codec.
const reasonGaugeHistogram promwrite.Reason = "gauge_histogram"

func (w *writing) attachNative(it *item, h *promwrite.Histogram, to pmetric.ExemplarSlice) {
	if w.exemplary {
		w.attach(it.identity(it.name, ""), to, h.Time)
	}
}

// count returns the count of all observations. It includes the rounding of a float histogram's
// buckets.
func count(h *promwrite.Histogram, inBuckets uint64) uint64 {
	if !h.Float {
		return h.Count
	}
	return max(inBuckets, uint64(math.RoundToEven(h.CountFloat)))
}

func zeroCount(h *promwrite.Histogram) uint64 {
	if !h.Float {
		return h.ZeroCount
	}
	return uint64(math.RoundToEven(h.ZeroCountFloat))
}

func writeExponential(dp pmetric.ExponentialHistogramDataPoint, h *promwrite.Histogram) {
	dp.SetTimestamp(promseries.Stamp(h.Time))
	dp.SetStartTimestamp(promseries.Stamp(h.Start))
	if promwrite.IsStale(h.Sum) {
		dp.SetFlags(ended)
		return
	}
	dp.SetScale(h.Schema)
	dp.SetSum(h.Sum)
	dp.SetZeroThreshold(h.ZeroThreshold)
	dp.SetZeroCount(zeroCount(h))
	total := zeroCount(h)
	for _, side := range [...]struct {
		from *promwrite.Buckets
		to   pmetric.ExponentialHistogramDataPointBuckets
	}{{&h.Positive, dp.Positive()}, {&h.Negative, dp.Negative()}} {
		first, end := side.from.Range()
		if end == first {
			continue
		}
		counts := make([]uint64, end-first)
		side.from.Walk(h.Float, func(number int, n uint64) {
			counts[number-first] = n
			total += n
		})
		side.to.SetOffset(int32(first - 1)) // Prometheus numbers a bucket by its upper bound, OTLP by its lower bound.
		side.to.BucketCounts().FromRaw(counts)
	}
	dp.SetCount(count(h, total))
}

func writeBounds(dp pmetric.HistogramDataPoint, h *promwrite.Histogram) {
	dp.SetTimestamp(promseries.Stamp(h.Time))
	dp.SetStartTimestamp(promseries.Stamp(h.Start))
	dp.ExplicitBounds().FromRaw(h.Bounds)
	counts := make([]uint64, len(h.Bounds)+1)
	if promwrite.IsStale(h.Sum) {
		dp.SetFlags(ended)
		dp.BucketCounts().FromRaw(counts)
		return
	}
	total := uint64(0)
	h.Positive.Walk(h.Float, func(number int, n uint64) {
		counts[number] = n
		total += n
	})
	dp.BucketCounts().FromRaw(counts)
	dp.SetSum(h.Sum)
	dp.SetCount(count(h, total))
}
