// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/auspex-otel/auspex/internal/series"
)

// batches returns batches with one resource, scope, and item each, with an attribute at every place.
func batches(put func(pcommon.Map)) (pmetric.Metrics, plog.Logs, ptrace.Traces) {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	put(rm.Resource().Attributes())
	sm := rm.ScopeMetrics().AppendEmpty()
	put(sm.Scope().Attributes())
	m := func() pmetric.Metric { return sm.Metrics().AppendEmpty() }
	put(m().SetEmptyGauge().DataPoints().AppendEmpty().Attributes())
	put(m().SetEmptySum().DataPoints().AppendEmpty().Attributes())
	put(m().SetEmptyHistogram().DataPoints().AppendEmpty().Attributes())
	put(m().SetEmptyExponentialHistogram().DataPoints().AppendEmpty().Attributes())
	put(m().SetEmptySummary().DataPoints().AppendEmpty().Attributes())
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	put(rl.Resource().Attributes())
	put(rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Attributes())
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	put(rs.Resource().Attributes())
	put(rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty().Attributes())
	return md, ld, td
}

// nested sets an attribute with alternating lists and maps.
func nested(levels int) func(pcommon.Map) {
	return func(m pcommon.Map) {
		v := m.PutEmpty("nested")
		for i := range levels {
			if i%2 == 0 {
				v = v.SetEmptySlice().AppendEmpty()
			} else {
				v = v.SetEmptyMap().PutEmpty("k")
			}
		}
	}
}

func TestDepth(t *testing.T) {
	for levels, left := range map[int]int{0: 0, MaxDepth: 0, MaxDepth + 1: 1, 10_000: 1} {
		md, ld, td := batches(nested(levels))
		_, n := Metrics(md)
		assert.Equal(t, 7*left, n)
		_, n = Logs(ld)
		assert.Equal(t, 2*left, n)
		_, n = Traces(td)
		assert.Equal(t, 2*left, n)
	}
}

// TestUsualBatchesAreNotCopied verifies that identities up to the maximum length are kept without a copy. Bodies and
// attributes of records and spans may be longer.
func TestUsualBatchesAreNotCopied(t *testing.T) {
	md, ld, td := batches(func(m pcommon.Map) { m.PutStr("k", strings.Repeat("v", series.MaxText)) })
	metric := md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0)
	metric.SetName(strings.Repeat("n", series.MaxText))
	record := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
	record.Body().SetStr(strings.Repeat("long ", 1000))
	record.Attributes().PutStr("exception.stacktrace", strings.Repeat("long ", 1000))
	span := td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0)
	span.Attributes().PutStr("db.statement", strings.Repeat("long ", 1000))
	gotMD, _ := Metrics(md)
	assert.Equal(t, md, gotMD)
	gotLD, _ := Logs(ld)
	assert.Equal(t, ld, gotLD)
	gotTD, _ := Traces(td)
	assert.Equal(t, td, gotTD)
	metric.SetName(metric.Name() + "n")
	gotMD, n := Metrics(md)
	assert.NotEqual(t, md, gotMD)
	assert.Zero(t, n)
}

// TestIdentities verifies that identities become short, and that different ones stay different.
func TestIdentities(t *testing.T) {
	long := func(end string) map[string]any {
		text := strings.Repeat("x", 1000) + end
		return map[string]any{"text": text, "bytes": []byte(text), "list": []any{text}, "map": map[string]any{text: int64(1)}, text: "key", "short": "as it is"}
	}
	ids := map[series.ID]bool{}
	for _, end := range []string{"a", "b"} {
		md, _, _ := batches(func(m pcommon.Map) { assert.NoError(t, m.FromRaw(long(end))) })
		got, _ := Metrics(md)
		m := got.ResourceMetrics().At(0).Resource().Attributes()
		assert.Equal(t, 6, m.Len())
		for k, v := range m.All() {
			assert.LessOrEqual(t, len(k), series.MaxText)
			assert.LessOrEqual(t, len(v.AsString()), series.MaxText)
			ids[series.Text(k).Join(series.Value(v))] = true
		}
		v, _ := m.Get("short")
		assert.Equal(t, "as it is", v.Str())
	}
	assert.Len(t, ids, 5*2+1)
}

// FuzzNestedValues verifies for arbitrary values that the result of intake needs no further changes.
func FuzzNestedValues(f *testing.F) {
	md, ld, td := batches(nested(MaxDepth + 1))
	for _, marshal := range []func() ([]byte, error){
		func() ([]byte, error) { return new(pmetric.ProtoMarshaler).MarshalMetrics(md) },
		func() ([]byte, error) { return new(plog.ProtoMarshaler).MarshalLogs(ld) },
		func() ([]byte, error) { return new(ptrace.ProtoMarshaler).MarshalTraces(td) },
	} {
		seed, err := marshal()
		require.NoError(f, err)
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if md, err := new(pmetric.ProtoUnmarshaler).UnmarshalMetrics(body); err == nil {
			got, _ := Metrics(md)
			again, n := Metrics(got)
			assert.Zero(t, n)
			assert.Equal(t, got, again)
		}
		if ld, err := new(plog.ProtoUnmarshaler).UnmarshalLogs(body); err == nil {
			got, _ := Logs(ld)
			_, n := Logs(got)
			assert.Zero(t, n)
			assert.Equal(t, ld.LogRecordCount(), got.LogRecordCount())
		}
		if td, err := new(ptrace.ProtoUnmarshaler).UnmarshalTraces(body); err == nil {
			got, _ := Traces(td)
			_, n := Traces(got)
			assert.Zero(t, n)
			assert.Equal(t, td.SpanCount(), got.SpanCount())
		}
	})
}
