// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package document

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/auspex-otel/auspex/internal/ecs"
)

// ecsNames are the attributes that have another name in the Elastic Common
// Schema. All others keep theirs: OpenTelemetry has taken over most of the schema.
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

// fields are the fields of a document under their dotted names. What is put first stays.
type fields map[string]field

// field is a value, or JSON that stands for one.
type field struct {
	value pcommon.Value
	json  []byte
}

func (f fields) put(key string, v pcommon.Value) { f.keep(key, field{value: v}) }

func (f field) equals(other field) bool {
	return f.json == nil && other.json == nil && f.value != (pcommon.Value{}) && f.value.Equal(other.value)
}

func (f fields) keep(key string, v field) {
	if _, taken := f[key]; !taken {
		f[key] = v
	}
}

func (f fields) text(key, s string) {
	if s != "" {
		f.put(key, pcommon.NewValueStr(s))
	}
}

func (f fields) attributes(m pcommon.Map) {
	flatten("", m, func(key string, v pcommon.Value) {
		if steers(key) {
			return
		}
		if name, ok := ecsNames[key]; ok {
			key = name
		}
		f.put(key, v)
	})
}

// originals adds attributes of what was a document in this schema, under the names that they had in it.
func (f fields) originals(m pcommon.Map, asIs map[string]bool) {
	flatten("", m, func(key string, v pcommon.Value) {
		name := ecs.Original(key)
		if asIs[key] {
			name = key
		} else if ecs.Steers(name) {
			return
		}
		f.put(name, v)
	})
}

func ecsShared(res pcommon.Resource, sc pcommon.InstrumentationScope) fields {
	f := fields{}
	f.attributes(sc.Attributes())
	f.attributes(res.Attributes())
	f.text("scope.name", sc.Name())
	f.text("scope.version", sc.Version())
	if host, ok := f["host.name"]; ok {
		f.keep("host.hostname", host)
	}
	return f
}

// ecsWrite completes a document by what its scope and resource say, and writes it.
func (s *scope) ecsWrite(w *writer, t pcommon.Timestamp, own fields, r route) {
	for k, v := range s.fields {
		own.keep(k, v)
	}
	delete(own, "@timestamp")
	w.open('{')
	w.timestamp("@timestamp", t)
	r.write(w)
	w.nest(own)
	w.close('}')
}

func (s *scope) ecsLog(w *writer, lr plog.LogRecord, r route) {
	if s.original {
		s.ecsOriginal(w, lr, r)
		return
	}
	f := fields{}
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
	f.attributes(lr.Attributes())
	s.ecsWrite(w, logTime(lr), f, r)
}

// ecsOriginal writes the document that a record was made of: the same fields with
// the same values, and those that were added to the record since.
func (s *scope) ecsOriginal(w *writer, lr plog.LogRecord, r route) {
	f := fields{}
	if lr.Body().Type() != pcommon.ValueTypeEmpty {
		f.put("message", lr.Body())
	}
	f.text("log.level", lr.SeverityText())
	f.ids(lr.TraceID(), lr.SpanID())
	asIs := ecs.AsIs(lr.Attributes())
	f.originals(lr.Attributes(), asIs)
	f.originals(s.resource, asIs)
	if host, ok := f["host"]; ok && f["host.name"].equals(host) {
		delete(f, "host.name")
	}
	w.open('{')
	if time, odd := f["@timestamp"]; !odd || lr.Timestamp() != 0 {
		delete(f, "@timestamp")
		w.text("@timestamp", beatTime(logTime(lr)))
	} else {
		w.key("@timestamp")
		w.value(time.value)
		delete(f, "@timestamp")
	}
	if !f.within("data_stream.") {
		r.write(w)
	}
	w.nest(f)
	w.close('}')
}

// within tells whether a field's name begins so.
func (f fields) within(prefix string) bool {
	for name := range f {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// beatTime writes a time as Beats do, with milliseconds, or more where there is more.
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
	f := fields{}
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
	f.attributes(sp.Attributes())
	s.ecsWrite(w, sp.StartTimestamp(), f, r)
}

func (s *scope) ecsSpanEvent(w *writer, sp ptrace.Span, ev ptrace.SpanEvent, r route) {
	f := fields{}
	f.ids(sp.TraceID(), sp.SpanID())
	f.text("event.action", ev.Name())
	f.attributes(ev.Attributes())
	if m, ok := f["error.message"]; ok {
		f.keep("message", m)
	}
	s.ecsWrite(w, ev.Timestamp(), f, r)
}

func (s *scope) ecsPoint(w *writer, m pmetric.Metric, p point, r route) {
	f := fields{}
	value := &writer{}
	p.put(value)
	f.keep(m.Name(), field{json: value.b})
	if s.original {
		f.originals(p.attributes, ecs.AsIs(p.attributes))
		f.originals(s.resource, ecs.AsIs(p.attributes))
		s.ecsWrite(w, p.t, f, r)
		return
	}
	f.text("unit", m.Unit())
	f.attributes(p.attributes)
	s.ecsWrite(w, p.t, f, r)
}

// nest writes fields as objects within objects. Where one field's name is the
// beginning of another's, as in a and a.b, the first becomes a.value: no
// document can hold both.
func (w *writer) nest(f fields) {
	names := slices.SortedFunc(maps.Keys(f), compareNames)
	var path []string
	for i, name := range names {
		parts := strings.Split(name, ".")
		if i+1 < len(names) && strings.HasPrefix(names[i+1], name+".") {
			parts = append(parts, "value")
		}
		last := len(parts) - 1
		path = w.enter(path, parts[:last])
		w.key(parts[last])
		if v := f[name]; v.json != nil {
			w.raw(v.json)
		} else {
			w.value(v.value)
		}
	}
	w.enter(path, nil)
}

// enter closes and opens objects, to come from one path to another.
func (w *writer) enter(from, to []string) []string {
	shared := 0
	for shared < min(len(from), len(to)) && from[shared] == to[shared] {
		shared++
	}
	for range from[shared:] {
		w.close('}')
	}
	for _, p := range to[shared:] {
		w.object(p)
	}
	return to
}

// compareNames orders by the parts between the dots, so that the fields of one object are neighbours.
func compareNames(a, b string) int {
	for i := range min(len(a), len(b)) {
		if a[i] == b[i] {
			continue
		}
		switch {
		case a[i] == '.':
			return -1
		case b[i] == '.':
			return 1
		}
		return cmp.Compare(a[i], b[i])
	}
	return cmp.Compare(len(a), len(b))
}
