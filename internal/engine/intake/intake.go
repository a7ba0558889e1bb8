// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package intake is the single entry of telemetry into the engine. If a batch has values that are nested too deep, or
// identities that are too long, it copies the batch. In the copy it removes the former and shortens the latter. It
// returns all other batches, which are nearly all, unchanged.
//
// An identity is what the engine keeps beyond a batch: names, and the attributes of resources, scopes, and data
// points. Bodies and attributes of log records and spans are read once, so only their depth matters.
package intake

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/auspex-otel/auspex/internal/series"
)

// MaxDepth is the greatest nesting of values, in levels. The engine traverses them recursively.
const MaxDepth = 64

// perElement is the size of an element of a list or a map in addition to its text. It bounds the nesting of an
// identity of series.MaxText bytes to less than MaxDepth.
const perElement = 8

type intake struct {
	fix   bool // false to check only
	found bool
	deep  int // values that are nested too deep
}

// Metrics returns the batch that the engine reads, and the number of removed values.
func Metrics(md pmetric.Metrics) (pmetric.Metrics, int) {
	return take(md, pmetric.NewMetrics, (*intake).metrics)
}

// Logs does the same as Metrics for logs.
func Logs(ld plog.Logs) (plog.Logs, int) { return take(ld, plog.NewLogs, (*intake).logs) }

// Traces does the same as Metrics for traces.
func Traces(td ptrace.Traces) (ptrace.Traces, int) {
	return take(td, ptrace.NewTraces, (*intake).traces)
}

func take[T interface{ CopyTo(T) }](batch T, fresh func() T, walk func(*intake, T)) (T, int) {
	look := intake{}
	if walk(&look, batch); !look.found {
		return batch, 0
	}
	out, fix := fresh(), intake{fix: true}
	batch.CopyTo(out)
	walk(&fix, out)
	return out, fix.deep
}

func (in *intake) metrics(md pmetric.Metrics) {
	for _, rm := range md.ResourceMetrics().All() {
		in.identity(rm.Resource().Attributes())
		for _, sm := range rm.ScopeMetrics().All() {
			in.scope(sm.Scope())
			for _, m := range sm.Metrics().All() {
				if in.long(m.Name()) {
					m.SetName(series.Short(m.Name()))
				}
				if in.long(m.Unit()) {
					m.SetUnit(series.Short(m.Unit()))
				}
				in.points(m)
			}
		}
	}
}

func (in *intake) points(m pmetric.Metric) {
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		for _, dp := range m.Gauge().DataPoints().All() {
			in.identity(dp.Attributes())
		}
	case pmetric.MetricTypeSum:
		for _, dp := range m.Sum().DataPoints().All() {
			in.identity(dp.Attributes())
		}
	case pmetric.MetricTypeHistogram:
		for _, dp := range m.Histogram().DataPoints().All() {
			in.identity(dp.Attributes())
		}
	case pmetric.MetricTypeExponentialHistogram:
		for _, dp := range m.ExponentialHistogram().DataPoints().All() {
			in.identity(dp.Attributes())
		}
	case pmetric.MetricTypeSummary:
		for _, dp := range m.Summary().DataPoints().All() {
			in.identity(dp.Attributes())
		}
	default:
	}
}

func (in *intake) logs(ld plog.Logs) {
	for _, rl := range ld.ResourceLogs().All() {
		in.identity(rl.Resource().Attributes())
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				in.content(lr.Attributes())
				if in.tooDeep(lr.Body()) {
					lr.Body().SetStr("")
				}
			}
		}
	}
}

func (in *intake) traces(td ptrace.Traces) {
	for _, rs := range td.ResourceSpans().All() {
		in.identity(rs.Resource().Attributes())
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				in.content(span.Attributes())
				if in.long(span.Name()) {
					span.SetName(series.Short(span.Name()))
				}
			}
		}
	}
}

func (in *intake) scope(s pcommon.InstrumentationScope) {
	if in.long(s.Name()) {
		s.SetName(series.Short(s.Name()))
	}
	if in.long(s.Version()) {
		s.SetVersion(series.Short(s.Version()))
	}
	in.identity(s.Attributes())
}

// long counts a text that is too long, and reports whether to shorten it.
func (in *intake) long(s string) bool {
	if len(s) <= series.MaxText {
		return false
	}
	in.found = true
	return in.fix
}

// tooDeep counts a value that is nested too deep, and reports whether to remove it.
func (in *intake) tooDeep(v pcommon.Value) bool {
	if !deeper(v, MaxDepth) {
		return false
	}
	in.found = true
	in.deep++
	return in.fix
}

// content removes values that are nested too deep.
func (in *intake) content(m pcommon.Map) {
	if in.fix {
		m.RemoveIf(func(_ string, v pcommon.Value) bool { return in.tooDeep(v) })
		return
	}
	for _, v := range m.All() {
		in.tooDeep(v)
	}
}

// identity removes values that are nested too deep and shortens the others.
func (in *intake) identity(m pcommon.Map) {
	if !in.fix {
		for k, v := range m.All() {
			if room := series.MaxText; len(k) > series.MaxText || !fits(v, &room) {
				in.found = true
				return
			}
		}
		return
	}
	in.content(m)
	short := pcommon.NewMap()
	short.EnsureCapacity(m.Len())
	for k, v := range m.All() {
		room, to := series.MaxText, short.PutEmpty(series.Short(k))
		switch {
		case fits(v, &room):
			v.CopyTo(to)
		case v.Type() == pcommon.ValueTypeStr:
			to.SetStr(series.Short(v.Str()))
		default:
			to.SetStr(v.Type().String() + " " + series.Value(v).String())
		}
	}
	short.MoveTo(m)
}

// deeper reports whether a value is nested more than levels deep.
func deeper(v pcommon.Value, levels int) bool {
	switch v.Type() {
	case pcommon.ValueTypeMap:
		for _, e := range v.Map().All() {
			if levels == 0 || deeper(e, levels-1) {
				return true
			}
		}
	case pcommon.ValueTypeSlice:
		for _, e := range v.Slice().All() {
			if levels == 0 || deeper(e, levels-1) {
				return true
			}
		}
	default:
	}
	return false
}

// fits reports whether a value fits into room, and subtracts its size.
func fits(v pcommon.Value, room *int) bool {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		*room -= len(v.Str())
	case pcommon.ValueTypeBytes:
		*room -= v.Bytes().Len()
	case pcommon.ValueTypeMap:
		for k, e := range v.Map().All() {
			if *room -= perElement + len(k); *room < 0 || !fits(e, room) {
				return false
			}
		}
	case pcommon.ValueTypeSlice:
		for _, e := range v.Slice().All() {
			if *room -= perElement; *room < 0 || !fits(e, room) {
				return false
			}
		}
	default:
	}
	return *room >= 0
}
