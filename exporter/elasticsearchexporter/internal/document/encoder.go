// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package document

import (
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/auspex-otel/auspex/internal/ecs"
	"github.com/auspex-otel/auspex/internal/series"
	"github.com/auspex-otel/auspex/internal/vocabulary"
	"github.com/auspex-otel/auspex/internal/wire/esbulk"
)

// Mode is the format of the documents.
type Mode string

const (
	// OTel keeps the names and the structure of OpenTelemetry, like Elastic's own data streams
	// *.otel-*.
	OTel Mode = "otel"
	// ECS uses field names of the Elastic Common Schema where it has one.
	ECS Mode = "ecs"
)

// Valid reports whether the mode is supported.
func (m Mode) Valid() bool { return m == OTel || m == ECS }

// Kinds of data streams, and the dataset of anomalies.
const (
	kindLogs       = "logs"
	kindMetrics    = "metrics"
	kindTraces     = "traces"
	datasetAnomaly = "auspex.anomaly"
)

// Encoder converts telemetry to documents. Its fields have the meaning of the exporter's
// configuration.
type Encoder struct {
	Mode Mode
	// Allowed lists the modes that a scope may select instead.
	Allowed []Mode

	LogsIndex, MetricsIndex, TracesIndex, IncidentsIndex string

	Pipeline                                            string
	LogsDynamicID, TracesDynamicID, LogsDynamicPipeline bool
}

// Document is one document with the position of its record.
type Document struct {
	esbulk.Action
	// Body is the JSON of the document with a line end.
	Body []byte
	// Origin is the index of the log record, span, or data point in its batch.
	Origin int
}

// batch collects documents in one buffer.
type batch struct {
	writer
	documents []Document
	ends      []int
}

// add completes the document that was written last.
func (b *batch) add(a esbulk.Action, origin int) {
	b.b = append(b.b, '\n')
	b.documents = append(b.documents, Document{Action: a, Origin: origin})
	b.ends = append(b.ends, len(b.b))
}

func (b *batch) done() []Document {
	start := 0
	for i, end := range b.ends {
		b.documents[i].Body = b.b[start:end:end]
		start = end
	}
	return b.documents
}

// scope holds the common data of the records of one instrumentation scope.
type scope struct {
	mode                 Mode
	resource, attributes pcommon.Map
	dataset              string
	name, version        string
	original             bool // its records were ECS documents
	identity             series.ID
	// shared holds the fields of resource and scope: as JSON in mode OTel, as fields in mode ECS.
	shared []byte
	fields fields
}

func (e *Encoder) scope(res pcommon.Resource, resURL string, sc pcommon.InstrumentationScope, scURL string) *scope {
	s := &scope{mode: e.Mode, resource: res.Attributes(), attributes: sc.Attributes(), dataset: datasetOf(sc), name: sc.Name(), version: sc.Version()}
	if m := Mode(attribute(sc.Attributes(), attrMode)); slices.Contains(e.Allowed, m) {
		s.mode = m
	}
	s.identity = series.Attributes(res.Attributes()).Join(series.Scope(sc))
	if s.mode == ECS {
		if s.original = ecs.Marked(sc); !s.original {
			s.fields = ecsShared(res, sc)
		}
		return s
	}
	w := &writer{}
	otelResource(w, res, resURL)
	otelScope(w, sc, scURL)
	s.shared = w.b
	return s
}

// Logs returns one document for every log record. The document of an incident goes to a separate
// index, under its id, unless a newer state of it exists there.
func (e *Encoder) Logs(ld plog.Logs) []Document {
	b, n := &batch{}, 0
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			s := e.scope(rl.Resource(), rl.SchemaUrl(), sl.Scope(), sl.SchemaUrl())
			for _, lr := range sl.LogRecords().All() {
				r, a := e.logAction(s, lr)
				s.log(&b.writer, lr, r)
				b.add(a, n)
				n++
			}
		}
	}
	return b.done()
}

func (e *Encoder) logAction(s *scope, lr plog.LogRecord) (route, esbulk.Action) {
	if id := attribute(lr.Attributes(), vocabulary.AttrIncidentID); id != "" && lr.EventName() == vocabulary.EventIncident {
		r := route{index: e.IncidentsIndex}
		return r, esbulk.Action{Op: esbulk.Index, Index: r.index, ID: fit(id), Version: incidentVersion(lr)}
	}
	dataset := ""
	if lr.EventName() == vocabulary.EventAnomaly {
		dataset = datasetAnomaly
	}
	pipeline := e.Pipeline
	if p := attribute(lr.Attributes(), attrPipeline); e.LogsDynamicPipeline && p != "" {
		pipeline = p
	}
	r := s.routeOf(lr.Attributes(), kindLogs, e.LogsIndex, dataset)
	a := r.action(e.logID(lr), pipeline)
	// A document that replaced another at its sender replaces it in the index that the sender
	// named.
	if a.ID != "" && r.index != "" && e.LogsIndex == "" && attribute(lr.Attributes(), vocabulary.ElasticOp) == string(esbulk.Index) {
		a.Op = esbulk.Index
	}
	return r, a
}

// incidentVersion increases with the event time of the update. Closing comes after an update at the
// same time. Updates may overtake each other in transit.
func incidentVersion(lr plog.LogRecord) int64 {
	v := max(1, int64(lr.Timestamp()&(1<<62-1))*2) // 62 bits of nanoseconds last until 2116
	if attribute(lr.Attributes(), vocabulary.AttrIncState) == "closed" {
		v++
	}
	return v
}

// Traces returns a document for every span, and in mode OTel one for every span event.
func (e *Encoder) Traces(td ptrace.Traces) []Document {
	b, n := &batch{}, 0
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			s := e.scope(rs.Resource(), rs.SchemaUrl(), ss.Scope(), ss.SchemaUrl())
			for _, sp := range ss.Spans().All() {
				id := e.spanID(sp)
				r := s.routeOf(sp.Attributes(), kindTraces, e.TracesIndex, "")
				s.span(&b.writer, sp, r)
				b.add(r.action(id, e.Pipeline), n)
				for i, ev := range sp.Events().All() {
					r := s.routeOf(ev.Attributes(), kindLogs, e.LogsIndex, "")
					s.spanEvent(&b.writer, sp, ev, r)
					b.add(r.action(eventID(id, i), e.Pipeline), n)
				}
				n++
			}
		}
	}
	return b.done()
}

// Metrics returns a document for every data point except stale markers, which have no value.
func (e *Encoder) Metrics(md pmetric.Metrics) []Document {
	b, n := &batch{}, 0
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			s := e.scope(rm.Resource(), rm.SchemaUrl(), sm.Scope(), sm.SchemaUrl())
			for _, m := range sm.Metrics().All() {
				identity := s.metricIdentity(m)
				for _, p := range points(m) {
					if !p.flags.NoRecordedValue() {
						r := s.routeOf(p.attributes, kindMetrics, e.MetricsIndex, "")
						s.point(&b.writer, m, p, r)
						b.add(r.action(pointID(identity, p.attributes, p.t, p.start), e.Pipeline), n)
					}
					n++
				}
			}
		}
	}
	return b.done()
}
