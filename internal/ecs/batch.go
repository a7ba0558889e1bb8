// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package ecs

import (
	"encoding/binary"
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/auspex-otel/auspex/internal/vocabulary"
	"github.com/auspex-otel/auspex/internal/wire/esbulk"
)

// schema marks the scopes of this package.
const schema = "ecs"

// Batch collects events as log records and metrics, grouped by resource.
type Batch struct {
	Logs    plog.Logs
	Metrics pmetric.Metrics

	scope, version string
	records        map[string]plog.LogRecordSlice
	points         map[string]*metrics

	traits          traits
	resource, moved []field
	gone            []string
	key             []byte
}

// NewBatch returns an empty batch with the name and version of its instrumentation scope.
func NewBatch(scope, version string) *Batch {
	return &Batch{
		Logs: plog.NewLogs(), Metrics: pmetric.NewMetrics(), scope: scope, version: version,
		records: map[string]plog.LogRecordSlice{}, points: map[string]*metrics{}, traits: traits{},
	}
}

// Route sets the target, the id, and the operation of a document. Empty parameters leave the
// event unchanged.
func (f Fields) Route(index, id, pipeline string, op esbulk.Op) {
	f.say(vocabulary.ElasticIndex, index)
	f.say(metadataID, id)
	f.say(vocabulary.ElasticPipeline, pipeline)
	f.say(metadataOp, string(op))
}

func (f Fields) say(name, value string) {
	if value != "" {
		f[name] = value
	}
}

// RouteOfBeat takes the index and the pipeline from @metadata, where Beats write them.
func (f Fields) RouteOfBeat() {
	f.Route(f.Text(ecsMetadata+"raw_index"), "", f.Text(ecsMetadata+"pipeline"), "")
}

// ID returns the id of an event, which is unique and the same whenever the event is sent again,
// or "" if the client provides none.
func (f Fields) ID() string { return uidOf(f) }

// AddLog adds an event as a log record with an id, or "". It consumes the event, which must not
// be used again.
func (b *Batch) AddLog(event Fields, id string, observed pcommon.Timestamp) {
	lr := plog.NewLogRecord()
	resource := b.translate(event, id, lr)
	lr.SetObservedTimestamp(observed)
	b.key = appendIdentity(b.key[:0], resource)
	records, ok := b.records[string(b.key)]
	if !ok {
		rl := b.Logs.ResourceLogs().AppendEmpty()
		putAll(rl.Resource().Attributes(), resource)
		sl := rl.ScopeLogs().AppendEmpty()
		b.mark(sl.Scope())
		records = sl.LogRecords()
		b.records[string(b.key)] = records
	}
	lr.MoveTo(records.AppendEmpty())
	recycle(event)
}

// AddMetrics adds the numbers of an event as data points. It consumes the event, which must not
// be used again.
func (b *Batch) AddMetrics(event Fields, observed pcommon.Timestamp) {
	t := event.timestamp()
	if t == 0 {
		t = observed
	}
	values := event.measurements()
	// A value that is unique per document would make every point a series.
	delete(event, metadataID)
	delete(event, metadataOp)
	delete(event, vocabulary.RecordUID)
	resource, _ := b.split(event)
	b.key = appendIdentity(b.key[:0], resource)
	m, ok := b.points[string(b.key)]
	if !ok {
		rm := b.Metrics.ResourceMetrics().AppendEmpty()
		putAll(rm.Resource().Attributes(), resource)
		sm := rm.ScopeMetrics().AppendEmpty()
		b.mark(sm.Scope())
		m = &metrics{slice: sm.Metrics(), byName: map[string]pmetric.Metric{}}
		b.points[string(b.key)] = m
	}
	m.add(values, event, t)
	recycle(event)
}

func (b *Batch) mark(s pcommon.InstrumentationScope) {
	s.SetName(b.scope)
	s.SetVersion(b.version)
	s.Attributes().PutStr(vocabulary.ElasticSchema, schema)
}

func putAll(m pcommon.Map, fields []field) {
	m.EnsureCapacity(len(fields))
	for _, f := range fields {
		_ = m.PutEmpty(f.name).FromRaw(f.value)
	}
}

// appendIdentity appends an unambiguous encoding of sorted attributes.
func appendIdentity(b []byte, attributes []field) []byte {
	for _, f := range attributes {
		b = appendText(b, 'n', f.name)
		switch v := f.value.(type) {
		case string:
			b = appendText(b, 's', v)
		case bool:
			b = strconv.AppendBool(b, v)
		case []any: // only of texts, see measures
			b = append(b, 'l')
			for _, text := range v {
				b = appendText(b, 's', text.(string))
			}
		}
	}
	return b
}

func appendText(b []byte, kind byte, text string) []byte {
	return append(binary.AppendUvarint(append(b, kind), uint64(len(text))), text...)
}
