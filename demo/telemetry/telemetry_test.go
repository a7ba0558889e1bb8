// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"bufio"
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/auspex-otel/auspex/demo/shop"
)

var start = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

const cadence = 5 * time.Second

// record plays n intervals of the shop into one batch and traces a share of the requests.
func record(n int, share float64) Batch {
	f, s := NewFleet(shop.Services(), start), shop.New(1, start, cadence, share)
	for range n {
		f.Record(s.Next())
	}
	return f.Take()
}

// eachMetric calls call for each metric of a batch with the names of its service and pod.
func eachMetric(b Batch, call func(service, pod string, m pmetric.Metric)) {
	for _, rm := range b.Metrics.ResourceMetrics().All() {
		pod, _ := rm.Resource().Attributes().Get("k8s.pod.name")
		service, _ := rm.Resource().Attributes().Get("service.name")
		name := ""
		if pod != (pcommon.Value{}) {
			name = pod.Str()
		}
		for _, m := range rm.ScopeMetrics().At(0).Metrics().All() {
			call(service.Str(), name, m)
		}
	}
}

func TestMetricsCarryEventTime(t *testing.T) {
	const n = 4
	seen := map[string]int{}
	eachMetric(record(n, 0), func(service, pod string, m pmetric.Metric) {
		seen[m.Name()]++
		var points pmetric.NumberDataPointSlice
		switch m.Type() {
		case pmetric.MetricTypeHistogram:
			h := m.Histogram().DataPoints()
			require.Equal(t, n, h.Len())
			for k, p := range h.All() {
				assert.Equal(t, start.Add(time.Duration(k+1)*cadence), p.Timestamp().AsTime())
				assert.Equal(t, start, p.StartTimestamp().AsTime())
			}
			return
		case pmetric.MetricTypeGauge:
			points = m.Gauge().DataPoints()
			assert.True(t, pod != "" || m.Name() == waitingName, "%s of %s", m.Name(), service)
		default:
			points = m.Sum().DataPoints()
		}
		require.Equal(t, n, points.Len(), m.Name())
		for k, p := range points.All() {
			assert.Equal(t, start.Add(time.Duration(k+1)*cadence), p.Timestamp().AsTime(), m.Name())
		}
	})
	services := len(shop.Services())
	assert.Equal(t, map[string]int{
		durationName: services, failedName: services, activeName: services,
		cpuName: services * shop.Pods, memoryName: services * shop.Pods, waitingName: 1,
	}, seen)
}

func TestHistogramsAreCumulative(t *testing.T) {
	eachMetric(record(5, 0), func(_, _ string, m pmetric.Metric) {
		if m.Type() != pmetric.MetricTypeHistogram {
			return
		}
		assert.Equal(t, pmetric.AggregationTemporalityCumulative, m.Histogram().AggregationTemporality())
		last := uint64(0)
		for _, p := range m.Histogram().DataPoints().All() {
			sum := uint64(0)
			for _, v := range p.BucketCounts().All() {
				sum += v
			}
			assert.Equal(t, p.Count(), sum)
			assert.Greater(t, p.Count(), last+90)
			last = p.Count()
			edges := p.BucketCounts().At(0) + p.BucketCounts().At(p.BucketCounts().Len()-1)
			assert.LessOrEqual(t, edges, p.Count()/50, "the buckets do not cover the latencies")
		}
	})
}

// TestLinesBelongToSpans verifies that the three signals describe the same requests and pods.
func TestLinesBelongToSpans(t *testing.T) {
	b := record(20, .05)
	pods, spans, lines := map[string]bool{}, map[pcommon.SpanID]string{}, 0
	eachMetric(b, func(_, pod string, _ pmetric.Metric) { pods[pod] = true })
	for _, rs := range b.Traces.ResourceSpans().All() {
		for _, key := range []string{"service.name", "service.version", "service.instance.id", "host.name", "k8s.pod.name", "k8s.node.name"} {
			_, ok := rs.Resource().Attributes().Get(key)
			assert.True(t, ok, key)
		}
		pod, _ := rs.Resource().Attributes().Get("k8s.pod.name")
		assert.Contains(t, pods, pod.Str())
		for _, s := range rs.ScopeSpans().At(0).Spans().All() {
			spans[s.SpanID()] = s.TraceID().String() + pod.Str()
		}
	}
	for _, rl := range b.Logs.ResourceLogs().All() {
		pod, _ := rl.Resource().Attributes().Get("k8s.pod.name")
		for _, r := range rl.ScopeLogs().At(0).LogRecords().All() {
			if r.TraceID().IsEmpty() || r.Timestamp().AsTime().After(start.Add(19*cadence)) {
				continue // of no request, or of an unfinished one
			}
			lines++
			assert.Equal(t, r.TraceID().String()+pod.Str(), spans[r.SpanID()], r.Body().Str())
		}
	}
	assert.Greater(t, lines, 500)
}

// TestFiles reads the written files.
func TestFiles(t *testing.T) {
	folder := t.TempDir()
	sink, err := Files(folder)
	require.NoError(t, err)
	b := record(2, .02)
	require.NoError(t, sink.Send(t.Context(), b))
	require.NoError(t, sink.Send(t.Context(), b))
	require.NoError(t, sink.Close())
	lines := func(name string) (out [][]byte) {
		file, err := os.Open(filepath.Join(folder, name))
		require.NoError(t, err)
		defer file.Close()
		zip, err := gzip.NewReader(file)
		require.NoError(t, err)
		in := bufio.NewScanner(zip)
		in.Buffer(nil, 1<<24)
		for in.Scan() {
			out = append(out, bytes.Clone(in.Bytes()))
		}
		require.NoError(t, in.Err())
		require.Len(t, out, 2)
		return out
	}
	traces, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(lines("traces.jsonl.gz")[1])
	require.NoError(t, err)
	assert.Equal(t, b.Traces.SpanCount(), traces.SpanCount())
	logs, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs(lines("logs.jsonl.gz")[1])
	require.NoError(t, err)
	assert.Equal(t, b.Logs.LogRecordCount(), logs.LogRecordCount())
	metrics, err := (&pmetric.JSONUnmarshaler{}).UnmarshalMetrics(lines("metrics.jsonl.gz")[1])
	require.NoError(t, err)
	assert.Equal(t, b.Metrics.DataPointCount(), metrics.DataPointCount())
}
