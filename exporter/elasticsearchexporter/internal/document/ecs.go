// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package document

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/auspex-otel/auspex/internal/ecs"
)

// ecsNames maps attributes to their names in the Elastic Common Schema. All others keep their
// names: OpenTelemetry has adopted most of the schema.
var ecsNames = map[string]string{
	"cloud.platform":              "cloud.service.name",
	"container.image.tags":        "container.image.tag",
	"deployment.environment":      "service.environment",
	"deployment.environment.name": "service.environment",
	"exception.message":           "error.message",
	"exception.stacktrace":        "error.stack_trace",
	"exception.type":              "error.type",
	"faas.instance":               "faas.id",
	"faas.trigger":                "faas.trigger.type",
	"host.arch":                   "host.architecture",
	"k8s.cluster.name":            "orchestrator.cluster.name",
	"k8s.container.name":          "kubernetes.container.name",
	"k8s.cronjob.name":            "kubernetes.cronjob.name",
	"k8s.daemonset.name":          "kubernetes.daemonset.name",
	"k8s.deployment.name":         "kubernetes.deployment.name",
	"k8s.job.name":                "kubernetes.job.name",
	"k8s.namespace.name":          "kubernetes.namespace",
	"k8s.node.name":               "kubernetes.node.name",
	"k8s.pod.name":                "kubernetes.pod.name",
	"k8s.pod.uid":                 "kubernetes.pod.uid",
	"k8s.replicaset.name":         "kubernetes.replicaset.name",
	"k8s.statefulset.name":        "kubernetes.statefulset.name",
	"os.description":              "host.os.full",
	"os.name":                     "host.os.name",
	"os.type":                     "host.os.platform",
	"os.version":                  "host.os.version",
	"process.executable.path":     "process.executable",
	"process.runtime.name":        "service.runtime.name",
	"process.runtime.version":     "service.runtime.version",
	"service.instance.id":         "service.node.name",
}

func ecsShared(res pcommon.Resource, sc pcommon.InstrumentationScope) fields {
	f := fields{}
	f.attributes(asideScope, sc.Attributes())
	f.attributes(asideResource, res.Attributes())
	if host, ok := f["host.name"]; ok {
		f.claim(nil, "host.hostname", field{value: host.value})
	}
	return f
}

// ecsFields returns the common fields of the documents of a scope. Entries without a value
// reserve the names that ecsWrite writes first.
func (s *scope) ecsFields() fields {
	f := fields{timeField: {fixed: true}, streamField: {fixed: true}}
	if !s.original {
		f.text("scope.name", s.name)
		f.text("scope.version", s.version)
	}
	return f
}

// ecsWrite adds the fields of scope and resource to a document, and writes it.
func (s *scope) ecsWrite(w *writer, t pcommon.Timestamp, own fields, r route) {
	own.merge(s.fields)
	delete(own, timeField)
	delete(own, streamField)
	w.open('{')
	w.timestamp(timeField, t)
	r.write(w)
	w.nest(own)
	w.close('}')
}

func (s *scope) ecsLog(w *writer, lr plog.LogRecord, r route) {
	if s.original {
		s.ecsOriginal(w, lr, r)
		return
	}
	f := s.ecsFields()
	if lr.Body().Type() != pcommon.ValueTypeEmpty {
		f.put("message", pcommon.NewValueStr(lr.Body().AsString()))
	}
	f.text("log.level", lr.SeverityText())
	if lr.SeverityNumber() != 0 {
		f.put("event.severity", pcommon.NewValueInt(int64(lr.SeverityNumber())))
	}
	f.text("event.action", lr.EventName())
	if lr.ObservedTimestamp() != 0 {
		f.text("event.created", lr.ObservedTimestamp().AsTime().Format(ecsTime))
	}
	f.ids(lr.TraceID(), lr.SpanID())
	f.attributes(aside, lr.Attributes())
	s.ecsWrite(w, logTime(lr), f, r)
}

// ecsOriginal writes the original document of a record, with the same fields and values, and the
// fields that were added to the record.
func (s *scope) ecsOriginal(w *writer, lr plog.LogRecord, r route) {
	f := fields{timeField: {fixed: true}}
	if lr.Body().Type() != pcommon.ValueTypeEmpty {
		f.put("message", lr.Body())
	}
	f.text("log.level", lr.SeverityText())
	f.ids(lr.TraceID(), lr.SpanID())
	odd := ""
	if v, ok := lr.Attributes().Get(timeField); ok && lr.Timestamp() == 0 && v.Type() != pcommon.ValueTypeMap {
		odd = timeField
	}
	asIs := ecs.AsIs(lr.Attributes())
	f.originals(aside, lr.Attributes(), asIs, odd)
	f.originals(asideResource, s.resource, asIs, "")
	if host, ok := f["host"]; ok && f["host.name"].equals(host) {
		delete(f, "host.name")
	}
	delete(f, timeField)
	w.open('{')
	if odd == "" {
		w.text(timeField, beatTime(logTime(lr)))
	} else {
		v, _ := lr.Attributes().Get(odd)
		w.key(timeField)
		w.value(v)
	}
	if !f.within(streamField) {
		r.write(w)
	}
	w.nest(f)
	w.close('}')
}

// within reports whether a field with this name or below it exists.
func (f fields) within(object string) bool {
	for name := range f {
		if name == object || strings.HasPrefix(name, object+".") {
			return true
		}
	}
	return false
}

// beatTime formats a time as Beats do, with at least milliseconds.
func beatTime(t pcommon.Timestamp) string {
	if t%1e6 == 0 {
		return t.AsTime().Format("2006-01-02T15:04:05.000Z07:00")
	}
	return t.AsTime().Format(ecsTime)
}

const ecsTime = "2006-01-02T15:04:05.999999999Z07:00"

func (f fields) ids(trace pcommon.TraceID, span pcommon.SpanID) {
	if !trace.IsEmpty() {
		f.text("trace.id", hexTrace(trace))
	}
	if !span.IsEmpty() {
		f.text("span.id", hexSpan(span))
	}
}

var ecsOutcome = map[ptrace.StatusCode]string{ptrace.StatusCodeUnset: "unknown", ptrace.StatusCodeOk: "success", ptrace.StatusCodeError: "failure"}

func (s *scope) ecsSpan(w *writer, sp ptrace.Span, r route) {
	f := s.ecsFields()
	f.ids(sp.TraceID(), sp.SpanID())
	if !sp.ParentSpanID().IsEmpty() {
		f.text("parent.id", hexSpan(sp.ParentSpanID()))
	}
	f.text("span.name", sp.Name())
	f.text("span.kind", strings.ToLower(sp.Kind().String()))
	f.text("event.outcome", ecsOutcome[sp.Status().Code()])
	f.text("event.reason", sp.Status().Message())
	f.text("event.end", sp.EndTimestamp().AsTime().Format(ecsTime))
	f.put("event.duration", pcommon.NewValueInt(duration(sp)))
	f.attributes(aside, sp.Attributes())
	s.ecsWrite(w, sp.StartTimestamp(), f, r)
}

func (s *scope) ecsSpanEvent(w *writer, sp ptrace.Span, ev ptrace.SpanEvent, r route) {
	f := s.ecsFields()
	f.ids(sp.TraceID(), sp.SpanID())
	f.text("event.action", ev.Name())
	f.attributes(aside, ev.Attributes())
	if m, ok := f["error.message"]; ok {
		f.claim(nil, "message", field{value: m.value})
	}
	s.ecsWrite(w, ev.Timestamp(), f, r)
}

func (s *scope) ecsPoint(w *writer, m pmetric.Metric, p point, r route) {
	f := s.ecsFields()
	value := &writer{}
	p.put(value)
	f.fix(filled(m.Name()), field{json: value.b})
	if s.original {
		f.originals(aside, p.attributes, ecs.AsIs(p.attributes), "")
		f.originals(asideResource, s.resource, ecs.AsIs(p.attributes), "")
		s.ecsWrite(w, p.t, f, r)
		return
	}
	f.text("unit", m.Unit())
	f.attributes(aside, p.attributes)
	s.ecsWrite(w, p.t, f, r)
}
