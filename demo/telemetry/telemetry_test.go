// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"context"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/auspex-otel/auspex/demo/shop"
)

var start = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

const cadence = 5 * time.Second

// kept is a log exporter that keeps what it gets.
type kept struct {
	mu      sync.Mutex
	records []sdklog.Record
}

func (k *kept) Export(_ context.Context, records []sdklog.Record) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, r := range records {
		k.records = append(k.records, r.Clone())
	}
	return nil
}
func (*kept) Shutdown(context.Context) error   { return nil }
func (*kept) ForceFlush(context.Context) error { return nil }

// record plays n intervals into a fleet and returns its batches, spans and log records.
func record(t *testing.T, n, traces int) ([]*metricdata.ResourceMetrics, tracetest.SpanStubs, []sdklog.Record) {
	t.Helper()
	spans, logs := tracetest.NewInMemoryExporter(), &kept{}
	f, err := NewFleet(shop.Services(), start, &Exporters{Spans: spans, Logs: logs})
	if err != nil {
		t.Fatal(err)
	}
	s := shop.New(1, start, cadence)
	for range n {
		if err := f.Record(t.Context(), s.Next(traces)); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	stubs := spans.GetSpans()
	batches := f.Batches()
	if again := f.Batches(); len(again) != 0 {
		t.Errorf("%d batches are handed out twice", len(again))
	}
	if err := f.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	return batches, stubs, logs.records
}

func TestMetricsCarryEventTime(t *testing.T) {
	const n = 4
	batches, _, _ := record(t, n, 0)
	if len(batches) != len(shop.Services()) {
		t.Fatalf("%d batches, want one for each service", len(batches))
	}
	series := 0
	for _, b := range batches {
		seen := map[string]bool{}
		for _, m := range b.ScopeMetrics[0].Metrics {
			seen[m.Name] = true
			for k, p := range pointsOf(t, m) {
				want := start.Add(time.Duration(k+1) * cadence)
				counted := m.Name != cpuName
				if !p.at.Equal(want) || counted && !p.start.Equal(start) || !counted && !p.start.IsZero() {
					t.Errorf("%s, point %d: from %v at %v, want at %v", m.Name, k, p.start, p.at, want)
				}
			}
			if got := len(pointsOf(t, m)); got != n {
				t.Errorf("%s: %d points, want %d", m.Name, got, n)
			}
		}
		for _, name := range []string{durationName, failedName, activeName, cpuName} {
			if !seen[name] {
				t.Errorf("%v lacks %s", b.Resource, name)
			}
		}
		series += SeriesPerService
	}
	if series > 100 {
		t.Errorf("%d series, want 100 at most", series)
	}
}

// point is the times of a data point and, of a histogram, its count.
type point struct {
	start, at time.Time
	count     uint64
}

func pointsOf(t *testing.T, m metricdata.Metrics) (out []point) {
	t.Helper()
	switch d := m.Data.(type) {
	case metricdata.Gauge[float64]:
		for _, p := range d.DataPoints {
			out = append(out, point{p.StartTime, p.Time, 0})
		}
	case metricdata.Sum[int64]:
		for _, p := range d.DataPoints {
			out = append(out, point{p.StartTime, p.Time, 0})
		}
	case metricdata.Histogram[float64]:
		for _, p := range d.DataPoints {
			out = append(out, point{p.StartTime, p.Time, p.Count})
		}
	default:
		t.Fatalf("%s is a %T", m.Name, m.Data)
	}
	return out
}

func TestHistogramsAreCumulative(t *testing.T) {
	batches, _, _ := record(t, 5, 0)
	for _, m := range batches[0].ScopeMetrics[0].Metrics {
		h, ok := m.Data.(metricdata.Histogram[float64])
		if !ok {
			continue
		}
		if h.Temporality != metricdata.CumulativeTemporality || m.Unit != "s" {
			t.Errorf("%s: %v, unit %q", m.Name, h.Temporality, m.Unit)
		}
		last := uint64(0)
		for _, p := range pointsOf(t, m) {
			if p.count < last+100 {
				t.Errorf("%d after %d", p.count, last)
			}
			last = p.count
		}
		if p := h.DataPoints[0]; p.BucketCounts[0]+p.BucketCounts[len(p.BucketCounts)-1] > p.Count/50 {
			t.Errorf("the buckets do not cover the latencies: %v", p.BucketCounts)
		}
	}
}

func TestRestampEveryKind(t *testing.T) {
	at, wall := start.Add(time.Hour), time.Now()
	number := func() metricdata.DataPoint[int64] { return metricdata.DataPoint[int64]{StartTime: wall, Time: wall} }
	floating := func() metricdata.DataPoint[float64] {
		return metricdata.DataPoint[float64]{StartTime: wall, Time: wall}
	}
	rm := func() *metricdata.ResourceMetrics {
		return &metricdata.ResourceMetrics{ScopeMetrics: []metricdata.ScopeMetrics{{Metrics: []metricdata.Metrics{
			{Name: "a", Data: metricdata.Gauge[int64]{DataPoints: []metricdata.DataPoint[int64]{number()}}},
			{Name: "b", Data: metricdata.Gauge[float64]{DataPoints: []metricdata.DataPoint[float64]{floating()}}},
			{Name: "c", Data: metricdata.Sum[int64]{DataPoints: []metricdata.DataPoint[int64]{number()}}},
			{Name: "d", Data: metricdata.Sum[float64]{DataPoints: []metricdata.DataPoint[float64]{floating()}}},
			{Name: "e", Data: metricdata.Histogram[float64]{DataPoints: []metricdata.HistogramDataPoint[float64]{{StartTime: wall, Time: wall}}}},
		}}}}
	}
	one, two := rm(), rm()
	restamp(one, start, at)
	restamp(two, start, at.Add(cadence))
	two.ScopeMetrics[0].Metrics = append(two.ScopeMetrics[0].Metrics, metricdata.Metrics{Name: "f", Data: metricdata.Gauge[int64]{}})
	merge(one, two)
	got := one.ScopeMetrics[0].Metrics
	if len(got) != 6 {
		t.Fatalf("%d metrics after merging, want 6", len(got))
	}
	for _, m := range got[:2] {
		if g, ok := m.Data.(metricdata.Gauge[int64]); ok {
			if len(g.DataPoints) != 2 || !g.DataPoints[1].Time.Equal(at.Add(cadence)) || !g.DataPoints[0].StartTime.IsZero() {
				t.Errorf("%s: %+v", m.Name, g)
			}
		}
	}
	if d := got[3].Data.(metricdata.Sum[float64]).DataPoints; len(d) != 2 || !d[0].Time.Equal(at) || !d[1].StartTime.Equal(start) {
		t.Errorf("%+v", d)
	}
	if d := got[4].Data.(metricdata.Histogram[float64]).DataPoints; len(d) != 2 || !d[0].Time.Equal(at) || !d[1].StartTime.Equal(start) {
		t.Errorf("%+v", d)
	}
}

func TestSpansAreLinkedAcrossServices(t *testing.T) {
	_, spans, logs := record(t, 10, 3)
	byID := map[trace.SpanID]tracetest.SpanStub{}
	for _, s := range spans {
		byID[s.SpanContext.SpanID()] = s
	}
	linked := 0
	for _, s := range spans {
		if s.StartTime.Before(start) || s.EndTime.After(start.Add(11*cadence)) {
			t.Errorf("%s runs from %v to %v", s.Name, s.StartTime, s.EndTime)
		}
		parent, ok := byID[s.Parent.SpanID()]
		if s.SpanKind != trace.SpanKindServer || !ok {
			continue
		}
		linked++
		if parent.SpanKind != trace.SpanKindClient || parent.Resource.Equal(s.Resource) || parent.SpanContext.TraceID() != s.SpanContext.TraceID() {
			t.Errorf("%s is a child of %s", s.Name, parent.Name)
		}
	}
	if linked < 10 {
		t.Errorf("%d of %d spans are a callee's", linked, len(spans))
	}
	servers := 0
	for _, r := range logs {
		if s, ok := byID[r.SpanID()]; !ok || !r.Timestamp().Equal(s.EndTime) || r.TraceID() != s.SpanContext.TraceID() {
			t.Errorf("log record %v at %v belongs to no span", r.Body(), r.Timestamp())
		}
		if r.Severity() != log.SeverityInfo && r.Severity() != log.SeverityError {
			t.Errorf("severity %v", r.Severity())
		}
		servers++
	}
	if servers != linked+30 {
		t.Errorf("%d log records for %d requests", servers, linked+30)
	}
}
