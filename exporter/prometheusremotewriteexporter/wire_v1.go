// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package prometheusremotewriteexporter

import (
	"bytes"
	"cmp"
	"errors"
	"hash/maphash"
	"math"
	"slices"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/translator/prometheusremotewrite"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/prompb"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// wireV1 is remote write 1.0.
type wireV1 struct{ targetInfo string }

func (wireV1) contentType() string { return "application/x-protobuf" }
func (wireV1) version() string     { return "0.1.0" }

func (w wireV1) translate(md pmetric.Metrics, set prometheusremotewrite.Settings) (*batch, error) {
	series, err := prometheusremotewrite.FromMetrics(md, set)
	b := &batch{items: make([]*item, 0, len(series))}
	for _, ts := range series {
		name, ok := nameV1(ts.Labels)
		if !ok {
			b.invalid += len(ts.Samples) + len(ts.Histograms)
			continue
		}
		it := &item{rank: rankOf(name, w.targetInfo), name: name, key: keyV1(ts.Labels), v1: ts}
		var a, c int
		ts.Samples, a = tidy(ts.Samples, func(s *prompb.Sample) int64 { return s.Timestamp }, func(x, y *prompb.Sample) bool {
			return math.Float64bits(x.Value) == math.Float64bits(y.Value)
		})
		ts.Histograms, c = tidy(ts.Histograms, func(h *prompb.Histogram) int64 { return h.Timestamp }, sameHistogramV1)
		slices.SortStableFunc(ts.Exemplars, func(x, y prompb.Exemplar) int { return cmp.Compare(x.Timestamp, y.Timestamp) })
		it.samples, it.collided = len(ts.Samples)+len(ts.Histograms), a+c
		if it.samples > 0 {
			b.items = append(b.items, it)
		}
	}
	if set.SendMetadata {
		metadata, errMetadata := prometheusremotewrite.OtelMetricsToMetadata(md, set)
		for i, m := range metadata {
			b.items = append(b.items, &item{rank: rankMetadata, key: uint64(i), metadata: m})
		}
		if err == nil { // otherwise it has the same errors
			err = errMetadata
		}
	}
	b.sort()
	return b, err
}

// nameV1 returns the metric name in sorted labels, and reports whether all labels are valid.
func nameV1(labels []prompb.Label) (name string, ok bool) {
	for i, l := range labels {
		if !validLabel(l.Name, l.Value) || i > 0 && labels[i-1].Name == l.Name {
			return "", false
		}
		if l.Name == model.MetricNameLabel {
			name = l.Value
		}
	}
	return name, name != ""
}

// seed makes equal inputs have equal hashes within the process.
var seed = maphash.MakeSeed()

func keyV1(labels []prompb.Label) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	for _, l := range labels {
		_, _ = h.WriteString(l.Value) // series of one name mostly have the same label names
		_ = h.WriteByte(0)
	}
	return h.Sum64()
}

func sameHistogramV1(x, y *prompb.Histogram) bool {
	a, errA := x.Marshal()
	b, errB := y.Marshal()
	return errors.Join(errA, errB) == nil && bytes.Equal(a, b)
}

func (wireV1) encode(_ *batch, items []*item, buf []byte) ([]byte, error) {
	var req prompb.WriteRequest
	for i := range items {
		if items[i].metadata != nil {
			req.Metadata = append(req.Metadata, *items[i].metadata)
			continue
		}
		if req.Timeseries == nil {
			req.Timeseries = make([]prompb.TimeSeries, 0, len(items)-i)
		}
		req.Timeseries = append(req.Timeseries, *items[i].v1)
	}
	buf = grow(buf, req.Size())
	n, err := req.MarshalToSizedBuffer(buf)
	return buf[:n], err
}

func (wireV1) cost(_ *batch, it *item, _ []int, _ int) int {
	if it.metadata != nil {
		return fieldSize(it.metadata.Size())
	}
	return fieldSize(it.v1.Size())
}

func (wireV1) halve(it *item) (early, late *item, ok bool) {
	if it.metadata != nil || it.samples < 2 {
		return it, nil, false
	}
	s, h := divide(len(it.v1.Samples), len(it.v1.Histograms))
	a, b := *it.v1, *it.v1
	a.Samples, b.Samples = it.v1.Samples[:s], it.v1.Samples[s:]
	a.Histograms, b.Histograms = it.v1.Histograms[:h], it.v1.Histograms[h:]
	a.Exemplars = nil
	early, late = new(*it), new(*it)
	early.v1, early.samples, early.collided = &a, s+h, 0
	late.v1, late.samples = &b, it.samples-s-h
	return early, late, true
}

// divide returns the numbers of samples and histograms in the first half. A series with both is
// divided by kind.
func divide(samples, histograms int) (s, h int) {
	if samples > 0 && histograms > 0 {
		return samples, 0
	}
	return samples / 2, histograms / 2
}
