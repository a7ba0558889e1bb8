// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package document

import (
	"testing"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// FuzzDocuments converts arbitrary OTLP to documents: each must be one line of JSON.
func FuzzDocuments(f *testing.F) {
	logs, err := (&plog.ProtoMarshaler{}).MarshalLogs(oneLog(func(res, scope pcommon.Map, lr plog.LogRecord) {
		res.PutStr("a.b", "1")
		scope.PutStr("a", "2")
		lr.Body().SetEmptyMap().PutStr("", "\xff")
	}))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(logs)
	metrics, err := (&pmetric.ProtoMarshaler{}).MarshalMetrics(gauge(func(pcommon.Map, pmetric.Metric, pmetric.NumberDataPoint) {}))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(metrics)
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, mode := range []Mode{OTel, ECS} {
			e := Encoder{Mode: mode, IncidentsIndex: "incidents"}
			if ld, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(text); err == nil {
				check(t, e.Logs(ld))
			}
			if td, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(text); err == nil {
				check(t, e.Traces(td))
			}
			if md, err := (&pmetric.ProtoUnmarshaler{}).UnmarshalMetrics(text); err == nil {
				check(t, e.Metrics(md))
			}
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	ld, td, md := plog.NewLogs(), ptrace.NewTraces(), pmetric.NewMetrics()
	records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	spans := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans()
	points := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty().SetEmptyGauge().DataPoints()
	fill := func(m pcommon.Map) {
		m.PutStr("http.route", "/cart/{id}")
		m.PutStr("http.request.method", "GET")
		m.PutInt("http.response.status_code", 200)
	}
	for range 1000 {
		lr, sp, dp := records.AppendEmpty(), spans.AppendEmpty(), points.AppendEmpty()
		lr.Body().SetStr("GET /cart/17 answered 200 in 12 ms")
		fill(lr.Attributes())
		sp.SetName("GET /cart/{id}")
		sp.SetTraceID(pcommon.TraceID{1})
		sp.SetSpanID(pcommon.SpanID{1})
		fill(sp.Attributes())
		dp.SetDoubleValue(1.5)
		fill(dp.Attributes())
	}
	for _, mode := range []Mode{OTel, ECS} {
		e := Encoder{Mode: mode}
		for name, encode := range map[string]func() []Document{
			"logs":   func() []Document { return e.Logs(ld) },
			"spans":  func() []Document { return e.Traces(td) },
			"points": func() []Document { return e.Metrics(md) },
		} {
			b.Run(string(mode)+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					encode()
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/record")
			})
		}
	}
}
