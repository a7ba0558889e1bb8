// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/auspex-otel/auspex/demo/shop"
)

// kinds maps span kinds to those of OTLP.
var kinds = [...]ptrace.SpanKind{
	shop.Internal: ptrace.SpanKindInternal,
	shop.Server:   ptrace.SpanKindServer,
	shop.Client:   ptrace.SpanKindClient,
	shop.Producer: ptrace.SpanKindProducer,
	shop.Consumer: ptrace.SpanKindConsumer,
}

// span adds a span to the spans of its pod.
func (f *Fleet) span(s *shop.Span) {
	to, ok := f.spans[s.By]
	if !ok {
		rs := f.batch.Traces.ResourceSpans().AppendEmpty()
		f.ofPod(s.By, rs.Resource())
		ss := rs.ScopeSpans().AppendEmpty()
		ss.Scope().SetName(scope)
		to = ss.Spans()
		f.spans[s.By] = to
	}
	span := to.AppendEmpty()
	span.SetTraceID(s.Trace)
	span.SetSpanID(s.ID)
	span.SetParentSpanID(s.Parent)
	span.SetKind(kinds[s.Kind])
	span.SetName(s.Name)
	span.SetStartTimestamp(pcommon.NewTimestampFromTime(s.Start))
	span.SetEndTimestamp(pcommon.NewTimestampFromTime(s.End))
	for _, a := range s.Attributes {
		if a.Text == "" {
			span.Attributes().PutInt(a.Key, a.Number)
		} else {
			span.Attributes().PutStr(a.Key, a.Text)
		}
	}
	if s.Error != "" {
		span.Attributes().PutStr("error.type", s.Error)
		span.Status().SetCode(ptrace.StatusCodeError)
	}
	if s.Exception != "" {
		span.Status().SetMessage(s.Exception)
		e := span.Events().AppendEmpty()
		e.SetName("exception")
		e.SetTimestamp(span.EndTimestamp())
		e.Attributes().PutStr("exception.message", s.Exception)
	}
}

// line adds a log record to the records of its pod.
func (f *Fleet) line(l *shop.Line) {
	to, ok := f.lines[l.By]
	if !ok {
		rl := f.batch.Logs.ResourceLogs().AppendEmpty()
		f.ofPod(l.By, rl.Resource())
		sl := rl.ScopeLogs().AppendEmpty()
		sl.Scope().SetName(scope)
		to = sl.LogRecords()
		f.lines[l.By] = to
	}
	r := to.AppendEmpty()
	r.SetTimestamp(pcommon.NewTimestampFromTime(l.At))
	r.SetObservedTimestamp(r.Timestamp())
	r.SetTraceID(l.Trace)
	r.SetSpanID(l.Span)
	r.SetSeverityNumber(plog.SeverityNumberInfo)
	r.SetSeverityText("INFO")
	if l.Failed {
		r.SetSeverityNumber(plog.SeverityNumberError)
		r.SetSeverityText("ERROR")
	}
	r.Body().SetStr(l.Body)
}
