// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/auspex-otel/auspex/internal/engine/intake"
)

// nest makes a value of lists and maps in each other.
func nest(v pcommon.Value, levels int) {
	for i := range levels {
		if i%2 == 0 {
			v = v.SetEmptySlice().AppendEmpty()
		} else {
			v = v.SetEmptyMap().PutEmpty("k")
		}
	}
	v.SetStr("bottom")
}

// deepBatches has a value of so many levels at every place of a batch of each signal.
func deepBatches(levels int) (pmetric.Metrics, plog.Logs, ptrace.Traces) {
	put := func(m pcommon.Map) { nest(m.PutEmpty("deep"), levels) }
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	put(rm.Resource().Attributes())
	sm := rm.ScopeMetrics().AppendEmpty()
	put(sm.Scope().Attributes())
	m := sm.Metrics().AppendEmpty()
	m.SetName("queue")
	dp := m.SetEmptyGauge().DataPoints().AppendEmpty()
	dp.SetTimestamp(stamp(1))
	dp.SetDoubleValue(1)
	put(dp.Attributes())

	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	put(rl.Resource().Attributes())
	lr := rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	lr.SetTimestamp(stamp(1))
	put(lr.Attributes())
	nest(lr.Body(), levels)

	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	put(rs.Resource().Attributes())
	span := rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	span.SetStartTimestamp(stamp(1))
	span.SetEndTimestamp(stamp(2))
	put(span.Attributes())
	return md, ld, td
}

// snapshotSize returns the size of an engine's state in bytes.
func snapshotSize(t *testing.T, e *Engine) (bytes int) {
	t.Helper()
	m := newMemory()
	require.NoError(t, e.Load(t.Context(), m, start))
	require.NoError(t, e.Snapshot(t.Context(), start))
	for _, v := range m.data {
		bytes += len(v)
	}
	return bytes
}

func TestDeepValuesPassUnevaluated(t *testing.T) {
	const places = 3 + 3 + 2
	for levels, want := range map[int]uint64{1: 0, intake.MaxDepth: 0, intake.MaxDepth + 1: places, 100_000: places} {
		e := newEngine()
		md, ld, td := deepBatches(levels)
		sizes := func() []int {
			return []int{new(pmetric.ProtoMarshaler).MetricsSize(md), new(plog.ProtoMarshaler).LogsSize(ld), new(ptrace.ProtoMarshaler).TracesSize(td)}
		}
		before := sizes()
		e.ObserveMetrics(md, Output{Select: SelectAll, MaxSeries: 1})
		require.Len(t, e.ObserveLogs(ld, true), 1)
		require.Len(t, e.ObserveTraces(td), 1)
		assert.Equal(t, before, sizes(), "the telemetry is as it was")
		assert.Equal(t, want, e.Status().Refused[RefusedTooDeep], "%d levels", levels)
		assert.Len(t, e.Series(SeriesQuery{Limit: 10}), 1, "the point itself is observed")
		assert.NotZero(t, snapshotSize(t, e))
	}
}

// longBatches has a text of a megabyte, with a number before and behind it, everywhere.
func longBatches(i int) (pmetric.Metrics, plog.Logs, ptrace.Traces) {
	md, ld, td := deepBatches(1)
	long := func() string { return fmt.Sprint(i, strings.Repeat("x", 1<<20), i) }
	put := func(m pcommon.Map) {
		m.PutStr("long", long())
		m.PutEmptyBytes("bytes").FromRaw(make([]byte, 1<<20))
		m.PutEmptySlice("list").AppendEmpty().SetStr(long())
		m.PutInt(long(), 1)
	}
	rm := md.ResourceMetrics().At(0)
	put(rm.Resource().Attributes())
	rm.Resource().Attributes().PutStr("service.name", long())
	sm := rm.ScopeMetrics().At(0)
	sm.Scope().SetName(long())
	sm.Scope().SetVersion(long())
	put(sm.Scope().Attributes())
	sm.Metrics().At(0).SetName(long())
	sm.Metrics().At(0).SetUnit(long())
	put(sm.Metrics().At(0).Gauge().DataPoints().At(0).Attributes())
	rm.Resource().CopyTo(ld.ResourceLogs().At(0).Resource())
	ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).SetEventName("config." + long())
	rm.Resource().CopyTo(td.ResourceSpans().At(0).Resource())
	span := td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0)
	span.SetName(long())
	span.Attributes().PutStr("peer.service", long())
	return md, ld, td
}

func TestLongTextIsNotRetained(t *testing.T) {
	const n = 20
	e := newEngine()
	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := heap()
	for i := range n {
		md, ld, td := longBatches(i)
		e.ObserveMetrics(md, Output{Select: SelectAll, MaxSeries: 1})
		e.ObserveLogs(ld, true)
		e.ObserveTraces(td)
	}
	assert.Less(t, heap()-before, int64(n<<20/2), "less than one of the texts each")
	list := e.Series(SeriesQuery{Limit: 100})
	assert.Len(t, list, n, "texts that differ at their end are still different")
	assert.Less(t, snapshotSize(t, e), n*100<<10)
}
