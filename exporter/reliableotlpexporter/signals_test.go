// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package reliableotlpexporter

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// everyMetric returns metrics of every type with several data points.
func everyMetric() pmetric.Metrics {
	md := pmetric.NewMetrics()
	for range 2 {
		rm := md.ResourceMetrics().AppendEmpty()
		rm.SetSchemaUrl("resource schema")
		rm.Resource().Attributes().PutStr("service.name", "shop")
		for range 2 {
			sm := rm.ScopeMetrics().AppendEmpty()
			sm.SetSchemaUrl("scope schema")
			sm.Scope().SetName("scope")
			add := func(name string) pmetric.Metric {
				m := sm.Metrics().AppendEmpty()
				m.SetName(name)
				m.SetUnit("By")
				return m
			}
			gauge, sum, histogram := add("gauge").SetEmptyGauge(), add("sum").SetEmptySum(), add("histogram").SetEmptyHistogram()
			sum.SetIsMonotonic(true)
			exponential, summary := add("exponential").SetEmptyExponentialHistogram(), add("summary").SetEmptySummary()
			for i := range 3 {
				at := pcommon.Timestamp(i + 1)
				gauge.DataPoints().AppendEmpty().SetTimestamp(at)
				sum.DataPoints().AppendEmpty().SetTimestamp(at)
				histogram.DataPoints().AppendEmpty().SetTimestamp(at)
				exponential.DataPoints().AppendEmpty().SetTimestamp(at)
				summary.DataPoints().AppendEmpty().SetTimestamp(at)
			}
		}
	}
	return md
}

func everySpan() ptrace.Traces {
	td := ptrace.NewTraces()
	for range 3 {
		rs := td.ResourceSpans().AppendEmpty()
		rs.Resource().Attributes().PutStr("service.name", "shop")
		for range 2 {
			ss := rs.ScopeSpans().AppendEmpty()
			ss.Scope().SetName("scope")
			for i := range 5 {
				ss.Spans().AppendEmpty().SetStartTimestamp(pcommon.Timestamp(i + 1))
			}
		}
	}
	return td
}

// split cuts a batch into single items, and text writes batches as JSON.
func split[T any](t *testing.T, s signal[T], data T) (all []T) {
	t.Helper()
	for i := range s.items(data) {
		one := s.cut(data, i, i+1)
		require.Equal(t, 1, s.items(one))
		all = append(all, one)
	}
	return all
}

func text[T any](t *testing.T, s signal[T], data T) string {
	t.Helper()
	b, err := s.marshal(data)
	require.NoError(t, err)
	return string(b)
}

// checkCuts checks that the parts of a batch form the whole.
func checkCuts[T any](t *testing.T, s signal[T], data T) {
	t.Helper()
	items, before := s.items(data), text(t, s, data)
	assert.Equal(t, before, text(t, s, s.cut(data, 0, items)))
	for at := 1; at < items; at++ {
		singles := split(t, s, s.cut(data, 0, at))
		singles = append(singles, split(t, s, s.cut(data, at, items))...)
		for i, want := range split(t, s, data) {
			require.Equal(t, text(t, s, want), text(t, s, singles[i]))
		}
	}
	parts := split(t, s, data)
	for _, part := range parts[1:] {
		s.move(part, parts[0])
	}
	assert.Equal(t, items, s.items(parts[0]))
	assert.Equal(t, before, text(t, s, data), "the batch itself is as it was")
}

func TestCuts(t *testing.T) {
	checkCuts(t, logs, batch(20, -1, 0))
	checkCuts(t, metrics, everyMetric())
	checkCuts(t, traces, everySpan())
}
