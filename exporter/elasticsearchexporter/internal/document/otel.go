// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package document

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/auspex-otel/auspex/internal/series"
)

// logTime returns the time of a record, else its observed time.
func logTime(lr plog.LogRecord) pcommon.Timestamp {
	if lr.Timestamp() != 0 {
		return lr.Timestamp()
	}
	return lr.ObservedTimestamp()
}

func (s *scope) log(w *writer, lr plog.LogRecord, r route) {
	if s.mode == ECS {
		s.ecsLog(w, lr, r)
		return
	}
	w.open('{')
	w.timestamp("@timestamp", logTime(lr))
	if lr.ObservedTimestamp() != 0 {
		w.timestamp("observed_timestamp", lr.ObservedTimestamp())
	}
	otelIDs(w, lr.TraceID(), lr.SpanID())
	w.text("severity_text", lr.SeverityText())
	if lr.SeverityNumber() != 0 {
		w.key("severity_number")
		w.integer(int64(lr.SeverityNumber()))
	}
	w.text("event_name", lr.EventName())
	otelBody(w, lr.Body())
	otelAttributes(w, lr.Attributes(), lr.DroppedAttributesCount())
	r.write(w)
	w.raw(s.shared)
	w.close('}')
}

func (s *scope) span(w *writer, sp ptrace.Span, r route) {
	if s.mode == ECS {
		s.ecsSpan(w, sp, r)
		return
	}
	w.open('{')
	w.timestamp("@timestamp", sp.StartTimestamp())
	otelIDs(w, sp.TraceID(), sp.SpanID())
	w.text("trace_state", sp.TraceState().AsRaw())
	if !sp.ParentSpanID().IsEmpty() {
		w.text("parent_span_id", hexSpan(sp.ParentSpanID()))
	}
	w.text("name", sp.Name())
	w.text("kind", sp.Kind().String())
	w.key("duration")
	w.integer(duration(sp))
	otelAttributes(w, sp.Attributes(), sp.DroppedAttributesCount())
	w.count("dropped_events_count", sp.DroppedEventsCount())
	w.count("dropped_links_count", sp.DroppedLinksCount())
	otelLinks(w, sp.Links())
	w.object("status")
	w.text("code", sp.Status().Code().String())
	w.text("message", sp.Status().Message())
	w.close('}')
	r.write(w)
	w.raw(s.shared)
	w.close('}')
}

// duration is never negative, because clocks that were set back must not invalidate a document.
func duration(sp ptrace.Span) int64 {
	return max(0, int64(sp.EndTimestamp()-sp.StartTimestamp()))
}

func otelLinks(w *writer, links ptrace.SpanLinkSlice) {
	if links.Len() == 0 {
		return
	}
	w.key("links")
	w.open('[')
	for _, l := range links.All() {
		w.open('{')
		otelIDs(w, l.TraceID(), l.SpanID())
		w.text("trace_state", l.TraceState().AsRaw())
		otelAttributes(w, l.Attributes(), l.DroppedAttributesCount())
		w.close('}')
	}
	w.close(']')
}

// spanEvent writes a span event as a log document that references its span.
func (s *scope) spanEvent(w *writer, sp ptrace.Span, ev ptrace.SpanEvent, r route) {
	if s.mode == ECS {
		s.ecsSpanEvent(w, sp, ev, r)
		return
	}
	w.open('{')
	w.timestamp("@timestamp", ev.Timestamp())
	otelIDs(w, sp.TraceID(), sp.SpanID())
	w.text("event_name", ev.Name())
	otelAttributes(w, ev.Attributes(), ev.DroppedAttributesCount())
	r.write(w)
	w.raw(s.shared)
	w.close('}')
}

func (s *scope) point(w *writer, m pmetric.Metric, p point, r route) {
	if s.mode == ECS {
		s.ecsPoint(w, m, p, r)
		return
	}
	w.open('{')
	w.timestamp("@timestamp", p.t)
	if p.start != 0 {
		w.timestamp("start_timestamp", p.start)
	}
	w.text("unit", m.Unit())
	// A time series data stream derives the id from dimensions and time. This dimension
	// distinguishes metrics with the same attributes.
	w.text("_metric_names_hash", series.Text(m.Name()).String())
	w.object("metrics")
	w.key(m.Name())
	p.put(w)
	w.close('}')
	otelAttributes(w, p.attributes, 0)
	r.write(w)
	w.raw(s.shared)
	w.close('}')
}

func otelIDs(w *writer, trace pcommon.TraceID, span pcommon.SpanID) {
	if !trace.IsEmpty() {
		w.text("trace_id", hexTrace(trace))
	}
	if !span.IsEmpty() {
		w.text("span_id", hexSpan(span))
	}
}

func otelBody(w *writer, body pcommon.Value) {
	switch body.Type() {
	case pcommon.ValueTypeEmpty:
	case pcommon.ValueTypeMap:
		w.object("body")
		w.key("structured")
		w.value(body)
		w.close('}')
	case pcommon.ValueTypeSlice:
		w.object("body")
		w.object("structured")
		w.key("value")
		w.value(body)
		w.close('}')
		w.close('}')
	default:
		w.object("body")
		w.key("text")
		w.str(body.AsString())
		w.close('}')
	}
}

func otelResource(w *writer, res pcommon.Resource, schemaURL string) {
	w.object("resource")
	w.text("schema_url", schemaURL)
	otelAttributes(w, res.Attributes(), res.DroppedAttributesCount())
	w.close('}')
}

func otelScope(w *writer, sc pcommon.InstrumentationScope, schemaURL string) {
	w.object("scope")
	w.text("name", sc.Name())
	w.text("version", sc.Version())
	w.text("schema_url", schemaURL)
	otelAttributes(w, sc.Attributes(), sc.DroppedAttributesCount())
	w.close('}')
}

// otelAttributes writes attributes under their dotted names, and nested maps under the joined
// names. Elasticsearch rejects a document with a duplicate name, so a later one gets an appended
// _, unless its value is the same.
func otelAttributes(w *writer, m pcommon.Map, dropped uint32) {
	w.count("dropped_attributes_count", dropped)
	if m.Len() == 0 {
		return
	}
	w.object("attributes")
	seen, twice := make(map[string]pcommon.Value, m.Len()), []otelAttribute(nil)
	flatten("", m, func(key string, v pcommon.Value) {
		if steers(key) {
			return
		}
		if first, taken := seen[key]; !taken {
			seen[key] = v
			w.key(key)
			w.value(v)
		} else if !first.Equal(v) {
			twice = append(twice, otelAttribute{key, v})
		}
	})
	for _, a := range twice {
		name := a.name + "_"
		for first, taken := seen[name]; taken && !first.Equal(a.value); first, taken = seen[name] {
			name += "_"
		}
		if _, taken := seen[name]; !taken {
			seen[name] = a.value
			w.key(name)
			w.value(a.value)
		}
	}
	w.close('}')
}

type otelAttribute struct {
	name  string
	value pcommon.Value
}
