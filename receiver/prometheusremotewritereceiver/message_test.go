// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package prometheusremotewritereceiver

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/prompb"
	writev2 "github.com/prometheus/prometheus/prompb/io/prometheus/write/v2"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/auspex-otel/auspex/internal/wire/promwrite"
)

// message is a request in text:
//
//	family x counter seconds "what x is"          metadata of version 1
//	x{job="j"} [counter [unit ["help"]]] : 1@1000 stale@2000/500     samples, with a start time
//	x{job="j"} : ex(0.5@1000 {trace_id="…"}) nh({"t":1000,…})        exemplars and native histograms
type message struct {
	families []prompb.MetricMetadata
	series   []textSeries
}

type textSeries struct {
	labels     labels.Labels
	typ        promwrite.Type
	unit, help string
	samples    []prompb.Sample
	starts     []int64
	exemplars  []textExemplar
	histograms []textHistogram
}

type textExemplar struct {
	labels labels.Labels
	value  float64
	t      int64
}

type textHistogram struct {
	T      int64      `json:"t"`
	Start  int64      `json:"start"`
	Float  bool       `json:"float"`
	Count  float64    `json:"count"`
	Sum    *float64   `json:"sum"` // null: stale
	Schema int32      `json:"schema"`
	ZT     float64    `json:"zt"`
	ZC     float64    `json:"zc"`
	Pos    [][2]int32 `json:"pos"`
	PosN   []float64  `json:"posn"` // deltas, or counts of a float histogram
	Neg    [][2]int32 `json:"neg"`
	NegN   []float64  `json:"negn"`
	Bounds []float64  `json:"bounds"`
	Hint   int32      `json:"hint"`
}

func parseMessage(text string) (m message, err error) {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if rest, ok := strings.CutPrefix(line, "family "); ok {
			f := strings.SplitN(rest, " ", 4)
			help, err := strconv.Unquote(f[3])
			if err != nil {
				return m, fmt.Errorf("%q: %w", line, err)
			}
			m.families = append(m.families, prompb.MetricMetadata{
				MetricFamilyName: f[0], Type: prompb.MetricMetadata_MetricType(promwrite.ParseType(f[1])), Unit: strings.Trim(f[2], "-"), Help: help,
			})
			continue
		}
		s, err := parseSeries(line)
		if err != nil {
			return m, fmt.Errorf("%q: %w", line, err)
		}
		m.series = append(m.series, s)
	}
	return m, nil
}

func parseSeries(line string) (s textSeries, err error) {
	head, body, ok := strings.Cut(line, " : ")
	if !ok {
		return s, fmt.Errorf("no %q", " : ")
	}
	var name string
	if i := strings.LastIndex(head, "}"); i >= 0 {
		name, head = head[:i+1], head[i+1:]
	} else {
		name, head, _ = strings.Cut(head, " ")
	}
	if s.labels, err = parser.NewParser(parser.Options{}).ParseMetric(name); err != nil {
		return s, err
	}
	f := strings.SplitN(strings.TrimSpace(head), " ", 3)
	s.typ = promwrite.ParseType(f[0])
	if len(f) > 1 {
		s.unit = strings.Trim(f[1], "-")
	}
	if len(f) > 2 {
		if s.help, err = strconv.Unquote(f[2]); err != nil {
			return s, err
		}
	}
	for body = strings.TrimSpace(body); body != ""; body = strings.TrimSpace(body) {
		switch {
		case strings.HasPrefix(body, "ex("):
			text, rest, _ := strings.Cut(body[3:], ")")
			body = rest
			value, set, _ := strings.Cut(text, " ")
			e := textExemplar{}
			if e.labels, err = parser.NewParser(parser.Options{}).ParseMetric(set); err != nil {
				return s, err
			}
			if e.value, e.t, _, err = parseSample(value); err != nil {
				return s, err
			}
			s.exemplars = append(s.exemplars, e)
		case strings.HasPrefix(body, "nh("):
			text, rest, _ := strings.Cut(body[3:], ")")
			body = rest
			var h textHistogram
			if err := json.Unmarshal([]byte(text), &h); err != nil {
				return s, err
			}
			s.histograms = append(s.histograms, h)
		default:
			text, rest, _ := strings.Cut(body, " ")
			body = rest
			v, t, start, err := parseSample(text)
			if err != nil {
				return s, err
			}
			s.samples, s.starts = append(s.samples, prompb.Sample{Value: v, Timestamp: t}), append(s.starts, start)
		}
	}
	return s, nil
}

func parseSample(text string) (v float64, t, start int64, err error) {
	value, at, _ := strings.Cut(text, "@")
	at, begun, _ := strings.Cut(at, "/")
	if value == "stale" {
		v = promwrite.Stale()
	} else if v, err = strconv.ParseFloat(value, 64); err != nil {
		return v, t, start, err
	}
	if begun != "" {
		if start, err = strconv.ParseInt(begun, 10, 64); err != nil {
			return v, t, start, err
		}
	}
	t, err = strconv.ParseInt(at, 10, 64)
	return v, t, start, err
}

func (h *textHistogram) v1() prompb.Histogram {
	p := prompb.Histogram{
		Schema: h.Schema, ZeroThreshold: h.ZT, Timestamp: h.T, ResetHint: prompb.Histogram_ResetHint(h.Hint), CustomValues: h.Bounds, Sum: promwrite.Stale(),
		PositiveSpans: spans(h.Pos), NegativeSpans: spans(h.Neg),
	}
	if h.Sum != nil {
		p.Sum = *h.Sum
	}
	if h.Float {
		p.Count, p.ZeroCount = &prompb.Histogram_CountFloat{CountFloat: h.Count}, &prompb.Histogram_ZeroCountFloat{ZeroCountFloat: h.ZC}
		p.PositiveCounts, p.NegativeCounts = h.PosN, h.NegN
		return p
	}
	p.Count, p.ZeroCount = &prompb.Histogram_CountInt{CountInt: uint64(h.Count)}, &prompb.Histogram_ZeroCountInt{ZeroCountInt: uint64(h.ZC)}
	for _, d := range h.PosN {
		p.PositiveDeltas = append(p.PositiveDeltas, int64(d))
	}
	for _, d := range h.NegN {
		p.NegativeDeltas = append(p.NegativeDeltas, int64(d))
	}
	return p
}

func spans(list [][2]int32) (s []prompb.BucketSpan) {
	for _, p := range list {
		s = append(s, prompb.BucketSpan{Offset: p[0], Length: uint32(p[1])})
	}
	return s
}

// v2 returns the same message without the start time: its fields have the same numbers.
func (h *textHistogram) v2() (w writev2.Histogram) {
	p := h.v1()
	b, err := p.Marshal()
	if err == nil {
		err = w.Unmarshal(b)
	}
	if err != nil {
		panic(err)
	}
	w.StartTimestamp = h.Start
	return w
}

func (m *message) v1() []byte {
	req := prompb.WriteRequest{Metadata: m.families}
	for _, s := range m.series {
		ts := prompb.TimeSeries{Labels: prompb.FromLabels(s.labels, nil), Samples: s.samples}
		for _, e := range s.exemplars {
			ts.Exemplars = append(ts.Exemplars, prompb.Exemplar{Labels: prompb.FromLabels(e.labels, nil), Value: e.value, Timestamp: e.t})
		}
		for i := range s.histograms {
			ts.Histograms = append(ts.Histograms, s.histograms[i].v1())
		}
		req.Timeseries = append(req.Timeseries, ts)
	}
	b, err := req.Marshal()
	if err != nil {
		panic(err)
	}
	return b
}

func (m *message) v2() []byte {
	symbols := writev2.NewSymbolTable()
	var req writev2.Request
	for _, s := range m.series {
		ts := writev2.TimeSeries{LabelsRefs: symbols.SymbolizeLabels(s.labels, nil), Metadata: writev2.Metadata{
			Type: writev2.Metadata_MetricType(s.typ), UnitRef: symbols.Symbolize(s.unit), HelpRef: symbols.Symbolize(s.help),
		}}
		for i, sample := range s.samples {
			ts.Samples = append(ts.Samples, writev2.Sample{Value: sample.Value, Timestamp: sample.Timestamp, StartTimestamp: s.starts[i]})
		}
		for _, e := range s.exemplars {
			ts.Exemplars = append(ts.Exemplars, writev2.Exemplar{LabelsRefs: symbols.SymbolizeLabels(e.labels, nil), Value: e.value, Timestamp: e.t})
		}
		for i := range s.histograms {
			ts.Histograms = append(ts.Histograms, s.histograms[i].v2())
		}
		req.Timeseries = append(req.Timeseries, ts)
	}
	req.Symbols = symbols.Symbols()
	b, err := req.Marshal()
	if err != nil {
		panic(err)
	}
	return b
}
