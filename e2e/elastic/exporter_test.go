// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package elastic

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/auspex-otel/auspex/exporter/elasticsearchexporter"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/peertest"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// start is the time of all test data.
var start = time.Date(2026, 11, 22, 10, 0, 0, 123456789, time.UTC)

func TestExporter(t *testing.T) {
	needPeers(t)
	for _, major := range []int{8, 9} {
		t.Run(fmt.Sprintf("Elasticsearch %d", major), func(t *testing.T) {
			s := &suite{t: t, es: peertest.StartElasticsearch(t, major)}
			t.Run("logs", s.of(testLogs))
			t.Run("spans", s.of(testSpans))
			t.Run("points", s.of(testPoints))
			t.Run("time series", s.of(testTimeSeries))
			t.Run("anomalies", s.of(testAnomalies))
			t.Run("incident", s.of(testIncident))
			t.Run("ecs", s.of(testECS))
			t.Run("mapping conflict", s.of(testMappingConflict))
			t.Run("names that Elasticsearch rejects", s.of(testBadNames))
			t.Run("many", s.of(testMany))
			t.Run("restart", s.of(testRestart))
		})
	}
}

// suite holds a server and the test that uses it.
type suite struct {
	t  *testing.T
	es *peertest.Elasticsearch
}

func (s *suite) of(test func(*suite)) func(*testing.T) {
	return func(t *testing.T) {
		t.Helper()
		test(&suite{t: t, es: s.es})
	}
}

// with returns a configuration with the given changes. Values may be nested maps.
func (s *suite) with(more map[string]any) component.Config {
	s.t.Helper()
	cfg := elasticsearchexporter.NewFactory().CreateDefaultConfig()
	base := confmap.NewFromStringMap(map[string]any{"endpoint": s.es.URL, "retry_on_failure": map[string]any{"enabled": false}})
	require.NoError(s.t, base.Merge(confmap.NewFromStringMap(more)))
	require.NoError(s.t, base.Unmarshal(cfg))
	require.NoError(s.t, confmap.Validate(cfg))
	return cfg
}

func (s *suite) run(c component.Component) {
	s.t.Helper()
	require.NoError(s.t, c.Start(s.t.Context(), componenttest.NewNopHost()))
	s.t.Cleanup(func() { assert.NoError(s.t, c.Shutdown(context.Background())) })
}

// logs returns a function that writes logs.
func (s *suite) logs(more map[string]any) func(plog.Logs) error {
	s.t.Helper()
	f := elasticsearchexporter.NewFactory()
	e, err := f.CreateLogs(s.t.Context(), exportertest.NewNopSettings(f.Type()), s.with(more))
	require.NoError(s.t, err)
	s.run(e)
	return func(ld plog.Logs) error { return e.ConsumeLogs(s.t.Context(), ld) }
}

func (s *suite) search(index, query string) []peertest.Hit {
	s.t.Helper()
	hits, err := s.es.Search(s.t.Context(), index, query)
	require.NoError(s.t, err)
	return hits
}

// lines returns a log record for each text, in a dataset of the test.
func lines(dataset string, texts ...string) plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("service.name", "shop")
	rl.Resource().Attributes().PutStr("data_stream.dataset", dataset)
	records := rl.ScopeLogs().AppendEmpty().LogRecords()
	for _, text := range texts {
		lr := records.AppendEmpty()
		lr.SetTimestamp(pcommon.NewTimestampFromTime(start))
		lr.Body().SetStr(text)
		lr.Attributes().PutStr("cart", "a")
		lr.Attributes().PutStr("cart.id", "a-1")
	}
	return ld
}

func testLogs(s *suite) {
	write := s.logs(nil)
	ld := lines("one", "equal", "equal", "other \xff")
	records := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	records.At(2).Attributes().PutStr("log.record.uid", "agent/file/17")
	records.At(2).SetTraceID(pcommon.TraceID{1})
	records.At(2).Attributes().PutEmptyMap("http").PutDouble("duration", 5)
	for range 3 {
		require.NoError(s.t, write(ld))
	}
	assert.Len(s.t, s.search("logs-one.otel-default", ""), 3, "two equal lines are two documents, and there are no duplicates")
	assert.Len(s.t, s.search("logs-one.otel-default", `{"match":{"body.text":"equal"}}`), 2)

	hits := s.search("logs-one.otel-default", `{"range":{"attributes.http.duration":{"gte":4.5}}}`)
	require.Len(s.t, hits, 1)
	assert.Equal(s.t, "agent/file/17", hits[0].ID)
	assert.Equal(s.t, "2026-11-22T10:00:00.123456789Z", hits[0].Source["@timestamp"])
	assert.Equal(s.t, map[string]any{"text": "other \uFFFD"}, hits[0].Source["body"])
	assert.Equal(s.t, map[string]any{"type": "logs", "dataset": "one.otel", "namespace": "default"}, hits[0].Source["data_stream"])
	assert.Len(s.t, s.search("logs-*", `{"term":{"service.name":"shop"}}`), 3, "attributes are found under their own names")
}

func testSpans(s *suite) {
	f := elasticsearchexporter.NewFactory()
	e, err := f.CreateTraces(s.t.Context(), exportertest.NewNopSettings(f.Type()), s.with(nil))
	require.NoError(s.t, err)
	s.run(e)
	td := ptrace.NewTraces()
	spans := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans()
	for _, kind := range []ptrace.SpanKind{ptrace.SpanKindClient, ptrace.SpanKindServer} {
		sp := spans.AppendEmpty()
		sp.SetTraceID(pcommon.TraceID{1, 2, 3})
		sp.SetSpanID(pcommon.SpanID{4, 5})
		sp.SetKind(kind)
		sp.SetName("GET /cart")
		sp.SetStartTimestamp(pcommon.NewTimestampFromTime(start))
		sp.SetEndTimestamp(pcommon.NewTimestampFromTime(start.Add(time.Millisecond)))
		sp.Links().AppendEmpty().SetTraceID(pcommon.TraceID{9})
		ev := sp.Events().AppendEmpty()
		ev.SetName("exception")
		ev.SetTimestamp(sp.EndTimestamp())
		ev.Attributes().PutStr("exception.type", "Timeout")
	}
	for range 2 {
		require.NoError(s.t, e.ConsumeTraces(s.t.Context(), td))
	}
	hits := s.search("traces-generic.otel-default", `{"term":{"trace_id":"01020300000000000000000000000000"}}`)
	require.Len(s.t, hits, 2, "a client span and a server span that share an id, as in Zipkin, are two documents")
	assert.EqualValues(s.t, 1e6, hits[0].Source["duration"])
	assert.Len(s.t, s.search("traces-generic.otel-default", `{"term":{"kind":"Server"}}`), 1)
	assert.Len(s.t, s.search("logs-generic.otel-default", `{"term":{"event_name":"exception"}}`), 2)
}

// somePoints returns a point of every type, all with the same attributes and time.
func somePoints(dataset string) pmetric.Metrics {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("data_stream.dataset", dataset)
	metrics := rm.ScopeMetrics().AppendEmpty().Metrics()
	at := pcommon.NewTimestampFromTime(start)
	for _, name := range []string{"cpu.load", "cpu.load.limit"} {
		dp := named(metrics, name).SetEmptyGauge().DataPoints().AppendEmpty()
		dp.SetTimestamp(at)
		dp.SetDoubleValue(5)
		dp.Attributes().PutStr("core", "0")
	}
	sum := named(metrics, "requests").SetEmptySum().DataPoints().AppendEmpty()
	sum.SetTimestamp(at)
	sum.SetStartTimestamp(at - 1e9)
	sum.SetIntValue(7)
	sum.Attributes().PutStr("core", "0")
	h := named(metrics, "latency").SetEmptyHistogram().DataPoints().AppendEmpty()
	h.SetTimestamp(at)
	h.SetCount(3)
	h.SetSum(40)
	h.ExplicitBounds().FromRaw([]float64{10, 20})
	h.BucketCounts().FromRaw([]uint64{1, 1, 1})
	x := named(metrics, "size").SetEmptyExponentialHistogram().DataPoints().AppendEmpty()
	x.SetTimestamp(at)
	x.SetCount(2)
	x.SetZeroCount(1)
	x.Positive().BucketCounts().FromRaw([]uint64{1})
	q := named(metrics, "gc").SetEmptySummary().DataPoints().AppendEmpty()
	q.SetTimestamp(at)
	q.SetCount(4)
	q.SetSum(2.5)
	ended := named(metrics, "ended").SetEmptyGauge().DataPoints().AppendEmpty()
	ended.SetTimestamp(at)
	ended.SetFlags(pmetric.DefaultDataPointFlags.WithNoRecordedValue(true))
	return md
}

func named(metrics pmetric.MetricSlice, name string) pmetric.Metric {
	m := metrics.AppendEmpty()
	m.SetName(name)
	return m
}

func (s *suite) metrics(md pmetric.Metrics) {
	s.t.Helper()
	f := elasticsearchexporter.NewFactory()
	e, err := f.CreateMetrics(s.t.Context(), exportertest.NewNopSettings(f.Type()), s.with(nil))
	require.NoError(s.t, err)
	s.run(e)
	for range 2 {
		require.NoError(s.t, e.ConsumeMetrics(s.t.Context(), md))
	}
}

func testPoints(s *suite) {
	s.metrics(somePoints("plain"))
	assert.Len(s.t, s.search("metrics-plain.otel-default", ""), 6)
	assert.Len(s.t, s.search("metrics-plain.otel-default", `{"range":{"metrics.cpu.load":{"gte":4.5}}}`), 1)
	assert.Len(s.t, s.search("metrics-plain.otel-default", `{"term":{"metrics.requests":7}}`), 1)
	hits := s.search("metrics-plain.otel-default", `{"term":{"metrics.latency.value_count":3}}`)
	require.Len(s.t, hits, 1)
	assert.Equal(s.t, map[string]any{"latency": map[string]any{
		"value_count": 3.0, "sum": 40.0, "counts": []any{1.0, 1.0, 1.0}, "values": []any{5.0, 15.0, 20.0},
	}}, hits[0].Source["metrics"])
}

// testTimeSeries verifies writing to a time series data stream, which generates ids itself and rejects others.
func testTimeSeries(s *suite) {
	_, err := s.es.Do(s.t.Context(), http.MethodPut, "/_index_template/series", `{"index_patterns":["metrics-series.otel-*"],"priority":300,"data_stream":{},
		"template":{"settings":{"index.mode":"time_series","index.routing_path":["_metric_names_hash","attributes.*"],
			"index.time_series.start_time":"2026-01-01T00:00:00Z","index.time_series.end_time":"2027-01-01T00:00:00Z"},
		"mappings":{"properties":{"@timestamp":{"type":"date"},"_metric_names_hash":{"type":"keyword","time_series_dimension":true},
			"attributes":{"type":"passthrough","dynamic":true,"priority":30,"time_series_dimension":true},
			"metrics":{"type":"passthrough","dynamic":true,"priority":10}}}}}`)
	require.NoError(s.t, err)
	s.metrics(somePoints("series"))
	assert.Len(s.t, s.search("metrics-series.otel-default", ""), 6)
}

func testAnomalies(s *suite) {
	write := s.logs(nil)
	a := incident.Anomaly{
		ID: "00000000000000aa", Incident: "00000000000000bb", State: incident.StateOpen, Kind: "high", Opened: start,
		Subject: incident.Subject{Series: "00000000000000cc", Service: "shop", Metric: "latency", Statistic: "p99", Unit: "s"},
	}
	for i, state := range []incident.State{incident.StateOpen, incident.StateOpen, incident.StateClosed} {
		a.State, a.Updated, a.MaxScore = state, start.Add(time.Duration(i)*time.Minute), 1.5+float64(i)
		for range 2 {
			ld := plog.NewLogs()
			vocabulary.PutAnomaly(ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty(), &a)
			require.NoError(s.t, write(ld))
		}
	}
	assert.Len(s.t, s.search("logs-auspex.anomaly.otel-default", `{"term":{"anomaly.id":"00000000000000aa"}}`), 3, "each update is appended once")
	assert.Len(s.t, s.search("logs-auspex.anomaly.otel-default", `{"range":{"anomaly.score":{"gt":2}}}`), 2)
	assert.Len(s.t, s.search("logs-auspex.anomaly.otel-default", `{"term":{"anomaly.state":"closed"}}`), 1)
}

func testIncident(s *suite) {
	write := s.logs(nil)
	put := func(id string, state incident.State, after time.Duration) {
		i := incident.Incident{ID: id, Service: "shop", State: state, Opened: start, Updated: start.Add(after), MaxScore: 2 + after.Minutes()}
		i.Anomalies = make([]incident.Anomaly, 1+int(after.Minutes()))
		i.Count = len(i.Anomalies)
		i.Suspects = []incident.Suspect{{Service: "cart"}}
		if state == incident.StateClosed {
			i.Closed = i.Updated
		}
		ld := plog.NewLogs()
		vocabulary.PutIncident(ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty(), &i)
		require.NoError(s.t, write(ld))
	}
	read := func(id string) map[string]any {
		text, err := s.es.Do(s.t.Context(), http.MethodGet, "/auspex-incidents/_doc/"+id, "")
		require.NoError(s.t, err)
		var hit peertest.Hit
		require.NoError(s.t, json.Unmarshal(text, &hit))
		return hit.Source["attributes"].(map[string]any)
	}
	put("1", incident.StateOpen, 0)
	assert.Equal(s.t, "open", read("1")["incident.state"])
	put("1", incident.StateOpen, time.Minute)
	assert.EqualValues(s.t, 2, read("1")["incident.anomalies"])
	put("1", incident.StateClosed, time.Minute)
	assert.Equal(s.t, "closed", read("1")["incident.state"])

	// If updates arrive out of order, the newest remains.
	put("2", incident.StateClosed, time.Minute)
	put("2", incident.StateOpen, time.Minute)
	put("2", incident.StateOpen, 0)
	assert.Equal(s.t, "closed", read("2")["incident.state"])
	// An incident that continues is open again.
	put("2", incident.StateOpen, 2*time.Minute)
	assert.Equal(s.t, "open", read("2")["incident.state"])

	assert.Len(s.t, s.search("auspex-incidents", ""), 2)
	assert.Len(s.t, s.search("auspex-incidents", `{"range":{"incident.opened":{"lte":"2026-11-22T10:00:01Z"}}}`), 2)
}

func testECS(s *suite) {
	write := s.logs(map[string]any{"mapping": map[string]any{"mode": "ecs"}})
	ld := lines("ecs", "hello world")
	ld.ResourceLogs().At(0).Resource().Attributes().PutStr("k8s.namespace.name", "prod")
	for range 2 {
		require.NoError(s.t, write(ld))
	}
	hits := s.search("logs-ecs-default", `{"bool":{"filter":[{"match":{"message":"hello"}},{"term":{"service.name":"shop"}},{"term":{"kubernetes.namespace":"prod"}}]}}`)
	require.Len(s.t, hits, 1)
	assert.Equal(s.t, map[string]any{"value": "a", "id": "a-1"}, hits[0].Source["cart"])
}

// testMany verifies that data larger than one request is split into several.
func testMany(s *suite) {
	const batches, each = 20, 1000
	write := s.logs(map[string]any{"max_bulk_bytes": 64 << 10})
	began := time.Now()
	for b := range batches {
		ld := lines("many", make([]string, each)...)
		for i, lr := range ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
			lr.Body().SetStr(fmt.Sprintf("line %d of batch %d", i, b))
		}
		require.NoError(s.t, write(ld))
	}
	took := time.Since(began)
	assert.Len(s.t, s.search("logs-many.otel-default", ""), batches*each)
	s.t.Logf("%d documents in %v: %.0f per second", batches*each, took, batches*each/took.Seconds())
}

// testRestart verifies that no data is acknowledged while the node is down, and that repeated data keeps its ids.
func testRestart(s *suite) {
	write := s.logs(map[string]any{"timeout": "2s"})
	ld := lines("restart", "before", "after")
	records := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	require.NoError(s.t, write(ld))
	s.es.Stop()
	extra := records.AppendEmpty()
	records.At(0).CopyTo(extra)
	extra.Attributes().PutStr("log.record.uid", "only-after")
	require.ErrorContains(s.t, write(ld), "no answer from Elasticsearch")
	s.es.Start()
	peertest.Eventually(s.t, time.Minute, "the exporter reaches the node again", func() error { return write(ld) })
	assert.Len(s.t, s.search("logs-restart.otel-default", ""), 3)
}
