// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package reliableotlpexporter

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/auspex-otel/auspex/internal/datapoints"
)

// signal describes the batches of one signal. An item is a log record, a data point, or a span.
type signal[T any] struct {
	name    string
	size    func(T) int             // size of the OTLP request in bytes
	items   func(T) int             // number of items
	cut     func(T, int, int) T     // copies items from <= n < to, with their resources and scopes
	move    func(from, to T)        // appends from to to
	marshal func(T) ([]byte, error) // encodes OTLP JSON
	byShard func(T) []part[T]       // divides a batch by the shard of its resources
}

var logs = signal[plog.Logs]{
	name:    "logs",
	size:    new(plog.ProtoMarshaler).LogsSize,
	items:   plog.Logs.LogRecordCount,
	cut:     cutLogs,
	move:    func(from, to plog.Logs) { from.ResourceLogs().MoveAndAppendTo(to.ResourceLogs()) },
	marshal: new(plog.JSONMarshaler).MarshalLogs,
	byShard: func(batch plog.Logs) []part[plog.Logs] {
		all := batch.ResourceLogs()
		return byShard(batch, all.Len(), func(i int) pcommon.Resource { return all.At(i).Resource() }, plog.NewLogs,
			func(i int, to plog.Logs) { all.At(i).CopyTo(to.ResourceLogs().AppendEmpty()) })
	},
}

var metrics = signal[pmetric.Metrics]{
	name:    "metrics",
	size:    new(pmetric.ProtoMarshaler).MetricsSize,
	items:   pmetric.Metrics.DataPointCount,
	cut:     cutMetrics,
	move:    func(from, to pmetric.Metrics) { from.ResourceMetrics().MoveAndAppendTo(to.ResourceMetrics()) },
	marshal: new(pmetric.JSONMarshaler).MarshalMetrics,
	byShard: func(batch pmetric.Metrics) []part[pmetric.Metrics] {
		all := batch.ResourceMetrics()
		return byShard(batch, all.Len(), func(i int) pcommon.Resource { return all.At(i).Resource() }, pmetric.NewMetrics,
			func(i int, to pmetric.Metrics) { all.At(i).CopyTo(to.ResourceMetrics().AppendEmpty()) })
	},
}

var traces = signal[ptrace.Traces]{
	name:    "traces",
	size:    new(ptrace.ProtoMarshaler).TracesSize,
	items:   ptrace.Traces.SpanCount,
	cut:     cutTraces,
	move:    func(from, to ptrace.Traces) { from.ResourceSpans().MoveAndAppendTo(to.ResourceSpans()) },
	marshal: new(ptrace.JSONMarshaler).MarshalTraces,
	byShard: func(batch ptrace.Traces) []part[ptrace.Traces] {
		all := batch.ResourceSpans()
		return byShard(batch, all.Len(), func(i int) pcommon.Resource { return all.At(i).Resource() }, ptrace.NewTraces,
			func(i int, to ptrace.Traces) { all.At(i).CopyTo(to.ResourceSpans().AppendEmpty()) })
	},
}

// span is a range of items with the number of items passed.
type span struct{ from, to, n int }

// next passes a number of items, and returns which of them are in the range.
func (s *span) next(items int) (from, to int) {
	from, to = max(s.from-s.n, 0), min(s.to-s.n, items)
	s.n += items
	return from, to
}

func cutLogs(ld plog.Logs, from, to int) plog.Logs {
	out, wanted := plog.NewLogs(), span{from: from, to: to}
	for _, rl := range ld.ResourceLogs().All() {
		var newRL plog.ResourceLogs
		for _, sl := range rl.ScopeLogs().All() {
			first, end := wanted.next(sl.LogRecords().Len())
			if first >= end {
				continue
			}
			if newRL == (plog.ResourceLogs{}) {
				newRL = out.ResourceLogs().AppendEmpty()
				rl.Resource().CopyTo(newRL.Resource())
				newRL.SetSchemaUrl(rl.SchemaUrl())
			}
			newSL := newRL.ScopeLogs().AppendEmpty()
			sl.Scope().CopyTo(newSL.Scope())
			newSL.SetSchemaUrl(sl.SchemaUrl())
			newSL.LogRecords().EnsureCapacity(end - first)
			for i := first; i < end; i++ {
				sl.LogRecords().At(i).CopyTo(newSL.LogRecords().AppendEmpty())
			}
		}
	}
	return out
}

func cutTraces(td ptrace.Traces, from, to int) ptrace.Traces {
	out, wanted := ptrace.NewTraces(), span{from: from, to: to}
	for _, rs := range td.ResourceSpans().All() {
		var newRS ptrace.ResourceSpans
		for _, ss := range rs.ScopeSpans().All() {
			first, end := wanted.next(ss.Spans().Len())
			if first >= end {
				continue
			}
			if newRS == (ptrace.ResourceSpans{}) {
				newRS = out.ResourceSpans().AppendEmpty()
				rs.Resource().CopyTo(newRS.Resource())
				newRS.SetSchemaUrl(rs.SchemaUrl())
			}
			newSS := newRS.ScopeSpans().AppendEmpty()
			ss.Scope().CopyTo(newSS.Scope())
			newSS.SetSchemaUrl(ss.SchemaUrl())
			newSS.Spans().EnsureCapacity(end - first)
			for i := first; i < end; i++ {
				ss.Spans().At(i).CopyTo(newSS.Spans().AppendEmpty())
			}
		}
	}
	return out
}

func cutMetrics(md pmetric.Metrics, from, to int) pmetric.Metrics {
	out, wanted := pmetric.NewMetrics(), span{from: from, to: to}
	for _, rm := range md.ResourceMetrics().All() {
		var newRM pmetric.ResourceMetrics
		for _, sm := range rm.ScopeMetrics().All() {
			var newSM pmetric.ScopeMetrics
			for _, m := range sm.Metrics().All() {
				first, end := wanted.next(datapoints.Count(m))
				if first >= end {
					continue
				}
				if newRM == (pmetric.ResourceMetrics{}) {
					newRM = out.ResourceMetrics().AppendEmpty()
					rm.Resource().CopyTo(newRM.Resource())
					newRM.SetSchemaUrl(rm.SchemaUrl())
				}
				if newSM == (pmetric.ScopeMetrics{}) {
					newSM = newRM.ScopeMetrics().AppendEmpty()
					sm.Scope().CopyTo(newSM.Scope())
					newSM.SetSchemaUrl(sm.SchemaUrl())
				}
				newM := newSM.Metrics().AppendEmpty()
				datapoints.CopyMetric(m, newM)
				for i := first; i < end; i++ {
					datapoints.Append(m, i, newM)
				}
			}
		}
	}
	return out
}
