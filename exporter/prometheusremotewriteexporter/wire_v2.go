// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package prometheusremotewriteexporter

import (
	"bytes"
	"cmp"
	"errors"
	"math"
	"slices"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/translator/prometheusremotewrite"
	"github.com/prometheus/common/model"
	writev2 "github.com/prometheus/prometheus/prompb/io/prometheus/write/v2"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// wireV2 is remote write 2.0.
type wireV2 struct{ targetInfo string }

func (wireV2) contentType() string { return "application/x-protobuf;proto=" + messageV2 }
func (wireV2) version() string     { return "2.0.0" }

func (w wireV2) translate(md pmetric.Metrics, set prometheusremotewrite.Settings) (*batch, error) {
	series, table, err := prometheusremotewrite.FromMetricsV2(md, set)
	b := &batch{items: make([]*item, 0, len(series)), symbols: table.Symbols()}
	bad := invalidSymbols(b.symbols)
	for _, ts := range series {
		name, ok := nameV2(ts.LabelsRefs, b.symbols, bad)
		if !ok {
			b.invalid += len(ts.Samples) + len(ts.Histograms)
			continue
		}
		it := &item{rank: rankOf(name, w.targetInfo), name: name, key: keyV2(ts.LabelsRefs), v2: ts}
		var a, c int
		ts.Samples, a = tidy(ts.Samples, func(s *writev2.Sample) int64 { return s.Timestamp }, func(x, y *writev2.Sample) bool {
			return math.Float64bits(x.Value) == math.Float64bits(y.Value)
		})
		ts.Histograms, c = tidy(ts.Histograms, func(h *writev2.Histogram) int64 { return h.Timestamp }, sameHistogramV2)
		slices.SortStableFunc(ts.Exemplars, func(x, y writev2.Exemplar) int { return cmp.Compare(x.Timestamp, y.Timestamp) })
		it.samples, it.collided = len(ts.Samples)+len(ts.Histograms), a+c
		if it.samples > 0 {
			b.items = append(b.items, it)
		}
	}
	b.sort()
	return b, err
}

// invalidSymbols reports which symbols are not valid labels. It returns nil if all are valid.
func invalidSymbols(symbols []string) []bool {
	var bad []bool
	for i, s := range symbols {
		if !validLabel("-", s) {
			if bad == nil {
				bad = make([]bool, len(symbols))
			}
			bad[i] = true
		}
	}
	return bad
}

// nameV2 returns the metric name in sorted labels, and reports whether all labels are valid.
func nameV2(refs []uint32, symbols []string, bad []bool) (name string, ok bool) {
	for i := 0; i+1 < len(refs); i += 2 {
		n, v := refs[i], refs[i+1]
		if symbols[n] == "" || bad != nil && (bad[n] || bad[v]) || i > 1 && refs[i-2] == n {
			return "", false
		}
		if symbols[n] == model.MetricNameLabel {
			name = symbols[v]
		}
	}
	return name, name != ""
}

// keyV2 hashes references. The same metrics get the same references.
func keyV2(refs []uint32) uint64 {
	h := uint64(14695981039346656037) // FNV-1a, one reference at a time
	for _, r := range refs {
		h = (h ^ uint64(r)) * 1099511628211
	}
	return h
}

func sameHistogramV2(x, y *writev2.Histogram) bool {
	a, errA := x.Marshal()
	b, errB := y.Marshal()
	return errors.Join(errA, errB) == nil && bytes.Equal(a, b)
}

// encode writes only the symbols of the items, because the batch's table may be many times larger
// than the request.
func (wireV2) encode(b *batch, items []*item, buf []byte) ([]byte, error) {
	t := renumbering{of: make([]uint32, len(b.symbols)), from: b.symbols, symbols: []string{""}}
	req := writev2.Request{Timeseries: make([]writev2.TimeSeries, len(items))}
	for i := range items {
		ts := *items[i].v2
		ts.LabelsRefs = t.refs(ts.LabelsRefs)
		ts.Metadata.HelpRef, ts.Metadata.UnitRef = t.ref(ts.Metadata.HelpRef), t.ref(ts.Metadata.UnitRef)
		ts.Exemplars = slices.Clone(ts.Exemplars)
		for j := range ts.Exemplars {
			ts.Exemplars[j].LabelsRefs = t.refs(ts.Exemplars[j].LabelsRefs)
		}
		req.Timeseries[i] = ts
	}
	req.Symbols = t.symbols
	buf = grow(buf, req.Size())
	n, err := req.MarshalToSizedBuffer(buf)
	return buf[:n], err
}

// renumbering maps references from the batch's symbol table to the request's.
type renumbering struct {
	of      []uint32 // new reference of each old one, 0 if not assigned
	from    []string
	symbols []string
}

func (t *renumbering) ref(old uint32) uint32 {
	if old == 0 { // every table begins with the empty string
		return 0
	}
	if t.of[old] == 0 {
		t.of[old] = uint32(len(t.symbols))
		t.symbols = append(t.symbols, t.from[old])
	}
	return t.of[old]
}

func (t *renumbering) refs(old []uint32) []uint32 {
	refs := make([]uint32, len(old))
	for i, r := range old {
		refs[i] = t.ref(r)
	}
	return refs
}

func (wireV2) cost(b *batch, it *item, seen []int, request int) int {
	size := fieldSize(it.v2.Size())
	count := func(ref uint32) {
		if seen[ref] != request {
			seen[ref] = request
			size += fieldSize(len(b.symbols[ref]))
		}
	}
	for _, ref := range it.v2.LabelsRefs {
		count(ref)
	}
	count(it.v2.Metadata.HelpRef)
	count(it.v2.Metadata.UnitRef)
	for _, e := range it.v2.Exemplars {
		for _, ref := range e.LabelsRefs {
			count(ref)
		}
	}
	return size
}

func (wireV2) halve(it *item) (early, late *item, ok bool) {
	if it.samples < 2 {
		return it, nil, false
	}
	s, h := divide(len(it.v2.Samples), len(it.v2.Histograms))
	a, b := *it.v2, *it.v2
	a.Samples, b.Samples = it.v2.Samples[:s], it.v2.Samples[s:]
	a.Histograms, b.Histograms = it.v2.Histograms[:h], it.v2.Histograms[h:]
	a.Exemplars = nil
	early, late = new(*it), new(*it)
	early.v2, early.samples, early.collided = &a, s+h, 0
	late.v2, late.samples = &b, it.samples-s-h
	return early, late, true
}
