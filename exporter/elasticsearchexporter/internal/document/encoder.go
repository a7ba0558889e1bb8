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

// Mode is the shape of the documents.
type Mode string

const (
	// OTel keeps the names and the structure of OpenTelemetry, as Elastic's own data streams *.otel-* do.
	OTel Mode = "otel"
	// ECS names fields after the Elastic Common Schema where that has a name.
	ECS Mode = "ecs"
)

// Valid tells whether documents can be made in this mode.
func (m Mode) Valid() bool { return m == OTel || m == ECS }

// Kinds of data streams, and the dataset of anomalies.
const (
	kindLogs       = "logs"
	kindMetrics    = "metrics"
	kindTraces     = "traces"
	datasetAnomaly = "auspex.anomaly"
)

// Encoder makes documents. Its fields are as in the exporter's configuration.
type Encoder struct {
	Mode Mode
	// Allowed are the modes that a scope may choose instead.
	Allowed []Mode

	LogsIndex, MetricsIndex, TracesIndex, IncidentsIndex string

	Pipeline                                            string
	LogsDynamicID, TracesDynamicID, LogsDynamicPipeline bool
}

// Document is one document, and the record that it was made of.
type Document struct {
	esbulk.Action
	// Body is the document's JSON with its end of line.
	Body []byte
	// Origin counts log records, spans or data points in the order in which the batch holds them.
	Origin int
}

// batch collects documents in one buffer.
type batch struct {
	writer
	documents []Document
	ends      []int
}

// add ends the document that was written last.
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

// scope is what the records of one instrumentation scope share.
type scope struct {
	mode                 Mode
	resource, attributes pcommon.Map
	dataset              string
	name, version        string
	original             bool // its records were documents in the schema of mode ECS
	identity             series.ID
	// shared are the fields of resource and scope: as JSON in mode OTel, as fields in mode ECS.
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

// Logs makes one document of every log record. An incident's goes to an index of
// its own, by its id, unless a newer state of it is there already.
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
	// What its sender would have replaced is replaced, in the index that the sender named.
	if a.ID != "" && r.index != "" && e.LogsIndex == "" && attribute(lr.Attributes(), vocabulary.ElasticOp) == string(esbulk.Index) {
		a.Op = esbulk.Index
	}
	return r, a
}

// incidentVersion grows with the event time of the update, and closing comes
// after an update at the same time. Updates may overtake each other on their way.
func incidentVersion(lr plog.LogRecord) int64 {
	v := max(1, int64(lr.Timestamp()&(1<<62-1))*2) // 62 bits of nanoseconds last until 2116
	if attribute(lr.Attributes(), vocabulary.AttrIncState) == "closed" {
		v++
	}
	return v
}

// Traces makes a document of every span, and in mode OTel one of every event of a span.
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

// Metrics makes a document of every data point. A mark that a series ends has no
// value, and no document.
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
