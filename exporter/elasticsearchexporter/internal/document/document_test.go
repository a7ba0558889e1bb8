// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package document

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/auspex-otel/auspex/internal/vocabulary"
	"github.com/auspex-otel/auspex/internal/wire/esbulk"
)

var encoder = Encoder{Mode: OTel, Allowed: []Mode{OTel, ECS}, IncidentsIndex: "incidents"}

// oneLog returns a batch of one record that set fills.
func oneLog(set func(res, scope pcommon.Map, lr plog.LogRecord)) plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	sl := rl.ScopeLogs().AppendEmpty()
	set(rl.Resource().Attributes(), sl.Scope().Attributes(), sl.LogRecords().AppendEmpty())
	return ld
}

// only returns the single document, and checks its format.
func only(t *testing.T, docs []Document) Document {
	t.Helper()
	require.Len(t, docs, 1)
	check(t, docs)
	return docs[0]
}

// check checks that each document is one line of JSON.
func check(t *testing.T, docs []Document) {
	t.Helper()
	for _, d := range docs {
		require.True(t, json.Valid(d.Body), "%s", d.Body)
		require.Equal(t, len(d.Body)-1, strings.IndexByte(string(d.Body), '\n'), "%q", d.Body)
	}
}

// sameText compares byte by byte, including the order of fields and the format of numbers.
func sameText(t *testing.T, want, got string) {
	t.Helper()
	assert.Equal(t, strings.Split(want, ","), strings.Split(got, ","))
}

func TestLogOTel(t *testing.T) {
	ld := oneLog(func(res, _ pcommon.Map, lr plog.LogRecord) {
		res.PutStr("service.name", "shop")
		lr.SetTimestamp(1_500_000_000)
		lr.SetObservedTimestamp(2_000_000_001)
		lr.SetSeverityNumber(plog.SeverityNumberWarn)
		lr.SetSeverityText("WARN")
		lr.SetTraceID(pcommon.TraceID{1})
		lr.SetSpanID(pcommon.SpanID{2})
		lr.SetEventName("checkout")
		lr.Body().SetStr("say \"hi\"\n")
		a := lr.Attributes()
		a.PutStr(vocabulary.RecordUID, "uid-1")
		a.PutDouble("whole", 5)
		a.PutDouble("nan", math.NaN())
		a.PutInt("n", -3)
		a.PutBool("yes", true)
		a.PutEmptyBytes("raw").FromRaw([]byte{1, 2})
		a.PutEmpty("nothing")
		a.PutEmptySlice("list").AppendEmpty().SetStr("x")
		a.PutEmptyMap("http").PutInt("status", 200)
		a.PutInt("http.status", 404)
		a.PutStr("data_stream.namespace", "Prod")
	})
	ld.ResourceLogs().At(0).ScopeLogs().At(0).Scope().SetName("go.example.com/receiver/filelogreceiver")
	d := only(t, encoder.Logs(ld))
	assert.Equal(t, esbulk.Action{Op: "create", Index: "logs-filelogreceiver.otel-prod", ID: "uid-1", DataStream: true}, d.Action)
	sameText(t, `{"@timestamp":"1970-01-01T00:00:01.5Z","observed_timestamp":"1970-01-01T00:00:02.000000001Z",`+
		`"trace_id":"01000000000000000000000000000000","span_id":"0200000000000000","severity_text":"WARN","severity_number":13,"event_name":"checkout",`+
		`"body":{"text":"say \"hi\"\u000a"},"attributes":{"log.record.uid":"uid-1","whole":5.0,"nan":null,"n":-3,"yes":true,"raw":"AQI=","nothing":null,"list":["x"],"http.status":200,"http.status_":404},`+
		`"data_stream":{"type":"logs","dataset":"filelogreceiver.otel","namespace":"prod"},`+
		`"resource":{"attributes":{"service.name":"shop"}},"scope":{"name":"go.example.com/receiver/filelogreceiver"}}`+"\n", string(d.Body))
}

func TestLogECS(t *testing.T) {
	ld := oneLog(func(res, scope pcommon.Map, lr plog.LogRecord) {
		scope.PutStr(attrMode, "ecs")
		res.PutStr("host.name", "h1")
		res.PutStr("k8s.namespace.name", "prod")
		res.PutStr("a", "from the resource")
		lr.SetTimestamp(1)
		lr.SetSeverityText("INFO")
		lr.Body().SetStr("hello")
		lr.Attributes().PutStr("a", "x")
		lr.Attributes().PutStr("a-b", "y")
		lr.Attributes().PutStr("a.b.c", "z")
		lr.Attributes().PutStr("@timestamp", "a trap")
		lr.Attributes().PutStr("message", "another")
		lr.Attributes().PutStr("exception.message", "oops")
	})
	d := only(t, encoder.Logs(ld))
	assert.Equal(t, "logs-generic-default", d.Index)
	sameText(t, `{"@timestamp":"1970-01-01T00:00:00.000000001Z","data_stream":{"type":"logs","dataset":"generic","namespace":"default"},`+
		`"a":{"value":"x","b":{"c":"z"}},"a-b":"y","attributes":{"@timestamp":"a trap","message":"another"},"error":{"message":"oops"},"host":{"hostname":"h1","name":"h1"},`+
		`"kubernetes":{"namespace":"prod"},"log":{"level":"INFO"},"message":"hello","resource":{"attributes":{"a":"from the resource"}}}`+"\n", string(d.Body))
}

func TestBodies(t *testing.T) {
	for want, set := range map[string]func(pcommon.Value){
		`"body":{"structured":{"k":1}}`:         func(v pcommon.Value) { v.SetEmptyMap().PutInt("k", 1) },
		`"body":{"structured":{"value":[1]}}`:   func(v pcommon.Value) { v.SetEmptySlice().AppendEmpty().SetInt(1) },
		`"body":{"text":"7"}`:                   func(v pcommon.Value) { v.SetInt(7) },
		`"1970-01-01T00:00:00Z","data_stream":`: func(pcommon.Value) {},
	} {
		d := only(t, encoder.Logs(oneLog(func(_, _ pcommon.Map, lr plog.LogRecord) { set(lr.Body()) })))
		assert.Contains(t, string(d.Body), want)
	}
}

func TestRoutes(t *testing.T) {
	log := func(set func(res, scope, record pcommon.Map)) plog.Logs {
		return oneLog(func(res, scope pcommon.Map, lr plog.LogRecord) { set(res, scope, lr.Attributes()) })
	}
	for want, ld := range map[string]plog.Logs{
		"logs-generic.otel-default": log(func(_, _, _ pcommon.Map) {}),
		"logs-record.otel-ns": log(func(res, scope, record pcommon.Map) {
			res.PutStr(attrDataset, "resource")
			res.PutStr(attrNamespace, "ns")
			scope.PutStr(attrDataset, "scope")
			record.PutStr(attrDataset, "record")
		}),
		"logs-awslogs.otel-default": log(func(_, scope, _ pcommon.Map) { scope.PutStr(attrFormat, "awslogs") }),
		"logs-a_b_.otel-n-s": log(func(_, _, record pcommon.Map) {
			record.PutStr(attrDataset, "A-b?")
			record.PutStr(attrNamespace, "N-S")
		}),
		"logs-twice.otel-default": log(func(_, _, record pcommon.Map) { record.PutStr(attrDataset, "twice.otel") }),
		"my-index":                log(func(res, _, _ pcommon.Map) { res.PutStr(attrIndex, "my-index") }),
	} {
		d := only(t, encoder.Logs(ld))
		assert.Equal(t, want, d.Index)
		assert.Equal(t, want != "my-index", d.DataStream)
		assert.Equal(t, want != "my-index", strings.Contains(string(d.Body), `"data_stream"`))
		assert.NotContains(t, string(d.Body), `"data_stream.`)
	}
	static := encoder
	static.LogsIndex = "all"
	assert.Equal(t, "all", only(t, static.Logs(log(func(_, _, record pcommon.Map) { record.PutStr(attrIndex, "x") }))).Index)
}

func TestModeOfAScopeMustBeAllowed(t *testing.T) {
	narrow := encoder
	narrow.Allowed = []Mode{OTel}
	for _, mode := range []string{"ecs", "bodymap"} {
		d := only(t, narrow.Logs(oneLog(func(_, scope pcommon.Map, _ plog.LogRecord) { scope.PutStr(attrMode, mode) })))
		assert.Contains(t, d.Index, ".otel-")
		assert.NotContains(t, string(d.Body), attrMode)
	}
}

func TestDynamicIDsAndPipelines(t *testing.T) {
	e := encoder
	e.LogsDynamicID, e.LogsDynamicPipeline, e.Pipeline = true, true, "usual"
	d := only(t, e.Logs(oneLog(func(_, _ pcommon.Map, lr plog.LogRecord) {
		lr.Attributes().PutStr(vocabulary.RecordUID, "uid")
		lr.Attributes().PutStr(attrID, "mine")
		lr.Attributes().PutStr(attrPipeline, "special")
	})))
	assert.Equal(t, []string{"mine", "special"}, []string{d.ID, d.Pipeline})
	assert.NotContains(t, string(d.Body), "special")
	assert.Equal(t, "usual", only(t, e.Logs(oneLog(func(_, _ pcommon.Map, _ plog.LogRecord) {}))).Pipeline)
}

func TestSpanIDs(t *testing.T) {
	td := ptrace.NewTraces()
	spans := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans()
	sp := spans.AppendEmpty()
	sp.SetTraceID(pcommon.TraceID{1})
	sp.SetSpanID(pcommon.SpanID{2})
	sp.SetKind(ptrace.SpanKindServer)
	sp.SetStartTimestamp(10)
	sp.SetEndTimestamp(5)
	sp.Events().AppendEmpty().SetName("e0")
	sp.Events().AppendEmpty().SetName("e1")
	spans.AppendEmpty()
	docs := encoder.Traces(td)
	check(t, docs)
	require.Len(t, docs, 4)
	const id = "01000000000000000000000000000000" + "0200000000000000-2"
	assert.Equal(t, []string{id, id + "-0", id + "-1", ""}, []string{docs[0].ID, docs[1].ID, docs[2].ID, docs[3].ID})
	assert.Equal(t, []int{0, 0, 0, 1}, []int{docs[0].Origin, docs[1].Origin, docs[2].Origin, docs[3].Origin})
	assert.Equal(t, "logs-generic.otel-default", docs[1].Index)
	assert.Contains(t, string(docs[0].Body), `"duration":0`, "clocks that were set back")
}

// gauge returns a batch of one point that set may change.
func gauge(set func(res pcommon.Map, m pmetric.Metric, dp pmetric.NumberDataPoint)) pmetric.Metrics {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	m := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName("m")
	dp := m.SetEmptyGauge().DataPoints().AppendEmpty()
	dp.SetTimestamp(100)
	dp.SetIntValue(1)
	set(rm.Resource().Attributes(), m, dp)
	return md
}

func TestPointIDsTellApartWhatDiffers(t *testing.T) {
	type change = func(pcommon.Map, pmetric.Metric, pmetric.NumberDataPoint)
	ids := map[string]bool{}
	for _, set := range []change{
		func(pcommon.Map, pmetric.Metric, pmetric.NumberDataPoint) {},
		func(_ pcommon.Map, m pmetric.Metric, _ pmetric.NumberDataPoint) { m.SetName("n") },
		func(_ pcommon.Map, m pmetric.Metric, _ pmetric.NumberDataPoint) { m.SetUnit("s") },
		func(res pcommon.Map, _ pmetric.Metric, _ pmetric.NumberDataPoint) { res.PutStr("host.name", "b") },
		func(_ pcommon.Map, _ pmetric.Metric, dp pmetric.NumberDataPoint) { dp.Attributes().PutInt("a", 1) },
		func(_ pcommon.Map, _ pmetric.Metric, dp pmetric.NumberDataPoint) { dp.Attributes().PutStr("a", "1") },
		func(_ pcommon.Map, _ pmetric.Metric, dp pmetric.NumberDataPoint) { dp.SetTimestamp(101) },
		func(_ pcommon.Map, _ pmetric.Metric, dp pmetric.NumberDataPoint) { dp.SetStartTimestamp(1) },
	} {
		ids[only(t, encoder.Metrics(gauge(set))).ID] = true
	}
	assert.Len(t, ids, 8)
	again := only(t, encoder.Metrics(gauge(func(_ pcommon.Map, _ pmetric.Metric, dp pmetric.NumberDataPoint) { dp.SetIntValue(9) })))
	assert.True(t, ids[again.ID], "a point that is sent twice is one")
	assert.Empty(t, encoder.Metrics(gauge(func(_ pcommon.Map, _ pmetric.Metric, dp pmetric.NumberDataPoint) {
		dp.SetFlags(pmetric.DefaultDataPointFlags.WithNoRecordedValue(true))
	})))
}

func TestHistograms(t *testing.T) {
	md := pmetric.NewMetrics()
	metrics := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics()
	m := metrics.AppendEmpty()
	m.SetName("h")
	h := m.SetEmptyHistogram().DataPoints().AppendEmpty()
	h.SetCount(6)
	h.ExplicitBounds().FromRaw([]float64{-10, 10})
	h.BucketCounts().FromRaw([]uint64{1, 0, 5})
	m = metrics.AppendEmpty()
	m.SetName("x")
	x := m.SetEmptyExponentialHistogram().DataPoints().AppendEmpty()
	x.SetCount(4)
	x.SetSum(1)
	x.SetZeroCount(1)
	x.Positive().SetOffset(1)
	x.Positive().BucketCounts().FromRaw([]uint64{2})
	x.Negative().BucketCounts().FromRaw([]uint64{1})
	m = metrics.AppendEmpty()
	m.SetName("one")
	one := m.SetEmptyHistogram().DataPoints().AppendEmpty()
	one.SetCount(2)
	one.SetSum(5)
	one.BucketCounts().FromRaw([]uint64{2})
	docs := encoder.Metrics(md)
	check(t, docs)
	assert.Contains(t, string(docs[0].Body), `"metrics":{"h":{"value_count":6,"counts":[1,5],"values":[-10.0,10.0]}}`)
	assert.Contains(t, string(docs[1].Body), `"metrics":{"x":{"value_count":4,"sum":1.0,"counts":[1,1,2],"values":[-1.5,0.0,3.0]}}`)
	assert.Contains(t, string(docs[2].Body), `"metrics":{"one":{"value_count":2,"sum":5.0,"counts":[2],"values":[2.5]}}`)
	ecs := encoder
	ecs.Mode = ECS
	docs = ecs.Metrics(md)
	check(t, docs)
	assert.Contains(t, string(docs[2].Body), `"one":{"value_count":2,"sum":5.0,"counts":[2],"values":[2.5]}`)
}

func TestSubsetKeepsWhatIsWanted(t *testing.T) {
	md := gauge(func(pcommon.Map, pmetric.Metric, pmetric.NumberDataPoint) {})
	metrics := md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics()
	for range 2 {
		metrics.AppendEmpty().SetEmptySum().DataPoints().AppendEmpty()
		metrics.AppendEmpty().SetEmptyHistogram().DataPoints().AppendEmpty()
		metrics.AppendEmpty().SetEmptyExponentialHistogram().DataPoints().AppendEmpty()
		metrics.AppendEmpty().SetEmptySummary().DataPoints().AppendEmpty()
		metrics.AppendEmpty()
	}
	all := encoder.Metrics(md)
	for i := range all {
		got := SubsetMetrics(md, map[int]bool{i: true})
		require.Equal(t, 1, got.DataPointCount())
		assert.Equal(t, all[i].Body, encoder.Metrics(got)[0].Body)
	}
	assert.Equal(t, 9, md.DataPointCount(), "the batch itself stays as it is")

	ld := oneLog(func(_, _ pcommon.Map, lr plog.LogRecord) { lr.Body().SetStr("0") })
	other := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	other.AppendEmpty().Body().SetStr("1")
	other.AppendEmpty().Body().SetStr("2")
	got := SubsetLogs(ld, map[int]bool{2: true})
	assert.Equal(t, 1, got.ResourceLogs().Len())
	assert.Equal(t, "2", got.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Body().Str())
}
