// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// An anomaly of an operation, and its incident, name traces of calls that failed.
func TestAnomaliesOfSpansNameTraces(t *testing.T) {
	e := newEngine()
	bad := map[string]bool{}
	const wellFor, length = 3000, 3300
	for second := range length {
		td := ptrace.NewTraces()
		for i := range 5 {
			c := call{at: float64(second) + float64(i)/5, seconds: 0.1, service: "cart", name: "GET /", failed: second >= wellFor && i%2 == 0}
			addCall(td, c, uint64(5*second+i+1))
			id := pcommon.TraceID{1: byte(i + 1), 2: byte(second >> 8), 3: byte(second)}
			td.ResourceSpans().At(i).ScopeSpans().At(0).Spans().At(0).SetTraceID(id)
			if c.failed {
				bad[id.String()] = true
			}
		}
		e.Tick(at(float64(second)))
		e.ObserveTraces(td)
	}
	events := e.PendingEvents()
	require.NotEmpty(t, events.Anomalies)
	require.NotEmpty(t, events.Incidents)
	named := 0
	for _, a := range events.Anomalies {
		for _, id := range a.TraceIDs {
			if bad[id] {
				named++
			}
		}
	}
	assert.Positive(t, named, "of traces with a call that failed")
	require.NotEmpty(t, events.Incidents[0].TraceIDs)
	assert.LessOrEqual(t, len(events.Incidents[0].TraceIDs), 10)
}

// A metric's anomaly names the traces of its point's exemplars.
func TestAnomaliesOfMetricsNameExemplars(t *testing.T) {
	e := newEngine()
	w := newWorld(e, "cart")
	w.run(history)
	md := w.batch(w.step, "cart")
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				if m.Type() != pmetric.MetricTypeGauge {
					continue
				}
				for _, p := range m.Gauge().DataPoints().All() {
					p.Exemplars().AppendEmpty().SetTraceID(pcommon.TraceID{7})
				}
			}
		}
	}
	e.ObserveMetrics(md, Output{Select: SelectAll, MaxSeries: 100})
	events := e.PendingEvents()
	require.NotEmpty(t, events.Anomalies)
	assert.Equal(t, []string{pcommon.TraceID{7}.String()}, events.Anomalies[0].TraceIDs)
}
