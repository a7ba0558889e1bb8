// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package vocabulary

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/auspex-otel/auspex/internal/detect/silence"
	"github.com/auspex-otel/auspex/internal/incident"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 500, time.UTC)

// Dashboards, rules, and queries of users rely on these names.
func TestNamesOnTheWire(t *testing.T) {
	assert.Equal(t, [...]string{"anomaly.score", "anomaly.observed", "anomaly.expected", "anomaly.lower", "anomaly.upper"}, Companions)
	assert.Equal(t, []string{"anomaly.max_score", "anomaly.open", "anomaly.rate"}, []string{MetricMaxScore, MetricOpen, MetricRate})
	assert.Equal(t, []string{"anomaly.metric", "anomaly.statistic", "anomaly.unit"}, []string{AttrMetric, AttrStatistic, AttrUnit})
	assert.Equal(t, []string{"auspex.anomaly", "auspex.incident"}, []string{EventAnomaly, EventIncident})
	assert.Equal(t, []string{"anomaly.opened", "anomaly.closed", "anomaly.silent_since"}, []string{AttrOpened, AttrClosed, AttrSilentSince})
	assert.Equal(t, []string{"auspex.log.records", "auspex.log.templates.new", "auspex.log.parameter"}, []string{MetricLogRecords, MetricNewTemplates, MetricLogParameter})
	assert.Equal(t, []string{"auspex.span.calls", "auspex.span.duration", "auspex.span.self_time", "auspex.span.network_time"},
		[]string{MetricSpanCalls, MetricSpanDuration, MetricSpanSelfTime, MetricSpanNetworkTime})
	assert.Equal(t, []string{"auspex.service.behavior", "auspex.service.cost", "anomaly.outside_interval"}, []string{MetricBehavior, MetricCost, MetricOutsideInterval})
	assert.Equal(t, []string{"auspex.log.parameter.name", "auspex.log.example", "auspex.log.template.first_seen", "auspex.service.behavior.change"},
		[]string{AttrParameter, AttrExample, AttrFirstSeen, AttrBehaviorChange})
	for _, name := range append(Companions[:], MetricMaxScore, MetricOpen, MetricRate, "anomaly.count", "incident.open", "incident.duration") {
		assert.True(t, OwnMetric(name))
	}
	for _, foreign := range []string{"", "anomaly", "anomalyscore", "my.anomaly.score", "Anomaly.score", "incident.opened", "incident.response.time"} {
		assert.False(t, OwnMetric(foreign), foreign)
	}
}

func anAnomaly() *incident.Anomaly {
	return &incident.Anomaly{
		ID: "00000000000000aa", Incident: "00000000000000bb",
		Subject: incident.Subject{
			Series: "00000000000000cc", Service: "cart", Metric: "http.server.request.duration", Statistic: "p99", Unit: "s",
			Attributes: map[string]string{"http.route": "/pay", AttrState: "mine"},
		},
		State: incident.StateOpen, Kind: "high", Opened: noon, Updated: noon.Add(time.Minute),
		Score: 1.5, MaxScore: 3.25, Surprise: 30, Observed: 0.75321, Expected: 0.25, Lower: 0.2, Upper: 0.3,
	}
}

func TestAnomalyEvent(t *testing.T) {
	lr := plog.NewLogRecord()
	a := anAnomaly()
	PutAnomaly(lr, a)
	assert.Equal(t, "auspex.anomaly", lr.EventName())
	assert.Equal(t, pcommon.NewTimestampFromTime(a.Updated), lr.Timestamp())
	assert.Equal(t, plog.SeverityNumberWarn, lr.SeverityNumber())
	assert.Equal(t, "WARN", lr.SeverityText())
	assert.Equal(t, "cart http.server.request.duration p99 is 753 ms, usually 250 ms, since 12:00:00 UTC", lr.Body().Str())
	assert.Equal(t, map[string]any{
		"anomaly.id": "00000000000000aa", "incident.id": "00000000000000bb", "anomaly.state": "open", "anomaly.opened": "2026-05-04T12:00:00.0000005Z",
		"anomaly.series": "00000000000000cc", "anomaly.metric": "http.server.request.duration", "anomaly.statistic": "p99", "anomaly.unit": "s", "anomaly.kind": "high",
		"anomaly.score": 3.25, "anomaly.observed": 0.75321, "anomaly.expected": 0.25, "anomaly.lower": 0.2, "anomaly.upper": 0.3, "http.route": "/pay",
	}, lr.Attributes().AsRaw(), "the series' own attributes never replace ours")

	closed := plog.NewLogRecord()
	a.State, a.Closed = incident.StateClosed, noon.Add(time.Hour)
	PutAnomaly(closed, a)
	assert.Equal(t, plog.SeverityNumberInfo, closed.SeverityNumber())
	v, _ := closed.Attributes().Get("anomaly.closed")
	assert.Equal(t, "2026-05-04T13:00:00.0000005Z", v.Str())
}

// A silence has no observed value. When points arrive again, its time stays in the event.
func TestSilenceEvent(t *testing.T) {
	a := anAnomaly()
	a.SilentSince = noon.Add(-time.Minute)
	for _, kind := range []string{silence.Kind, "high"} {
		a.Kind = kind
		lr := plog.NewLogRecord()
		PutAnomaly(lr, a)
		got := lr.Attributes().AsRaw()
		assert.Equal(t, kind, got["anomaly.kind"])
		assert.Equal(t, "2026-05-04T11:59:00.0000005Z", got["anomaly.silent_since"])
		assert.Equal(t, kind == silence.Kind, lr.Body().Str() == "cart http.server.request.duration p99 has sent nothing since 11:59:00 UTC", lr.Body().Str())
	}
}

func TestIncidentEvent(t *testing.T) {
	lr := plog.NewLogRecord()
	a := anAnomaly()
	i := &incident.Incident{
		ID: "00000000000000bb", Service: "frontend", State: incident.StateOpen, Opened: noon, Updated: noon.Add(time.Minute), MaxScore: 3.25,
		Count: 3, Services: []string{"cart", "frontend"}, Symptom: *a, TraceIDs: []string{"ff"}, Undetermined: true, Reason: incident.Recovered, History: []incident.Event{{Time: noon, What: "reopened"}},
		Suspects: []incident.Suspect{
			{Service: "cart", Party: incident.Party{Kind: incident.Service, Name: "cart"}, Evidence: *a, Changes: []incident.Change{{Kind: incident.ChangeVersion, What: "2", Time: noon}}},
			{Service: "frontend", Party: incident.Party{Kind: incident.Host, Name: "frontend"}, Evidence: *a},
		},
	}
	PutIncident(lr, i)
	assert.Equal(t, "auspex.incident", lr.EventName())
	assert.Equal(t, Account(i, time.UTC), lr.Body().Str())
	assert.Equal(t, map[string]any{
		"incident.id": "00000000000000bb", "incident.state": "open", "incident.opened": "2026-05-04T12:00:00.0000005Z", "anomaly.max_score": 3.25,
		"incident.anomalies": int64(3), "incident.suspects": []any{"cart", "frontend"}, "incident.suspect": "cart",
		"incident.services": []any{"cart", "frontend"}, "incident.evidence": []any{Sentence(a), Sentence(a)},
		"incident.changes": []any{"cart: version 2 appeared at 2026-05-04T12:00:00Z"}, "incident.trace_ids": []any{"ff"},
		"incident.suspect_kinds": []any{"service", "host"}, "incident.undetermined": true, "incident.closed_because": "recovered",
		"incident.history": []any{"2026-05-04T12:00:00Z reopened"},
	}, lr.Attributes().AsRaw())

	empty := plog.NewLogRecord()
	PutIncident(empty, &incident.Incident{State: incident.StateClosed, Closed: noon, MergedInto: "00000000000000cc"})
	assert.Equal(t, "INFO", empty.SeverityText())
	_, ok := empty.Attributes().Get("incident.suspect")
	assert.False(t, ok)
	v, _ := empty.Attributes().Get("incident.merged_into")
	assert.Equal(t, "00000000000000cc", v.Str())
}

func TestCompanion(t *testing.T) {
	dp := pmetric.NewNumberDataPoint()
	PutCompanion(dp, 7, 1.5, false)
	assert.Equal(t, pcommon.Timestamp(7), dp.Timestamp())
	assert.InDelta(t, 1.5, dp.DoubleValue(), 0)
	assert.False(t, dp.Flags().NoRecordedValue())

	end := pmetric.NewNumberDataPoint()
	PutCompanion(end, 8, 1.5, true)
	assert.True(t, end.Flags().NoRecordedValue())
	assert.Equal(t, pmetric.NumberDataPointValueTypeEmpty, end.ValueType())

	m := pcommon.NewMap()
	m.PutStr("anomaly.metric", "taken")
	PutSeries(m, "m", "value", "By")
	assert.Equal(t, map[string]any{"anomaly.metric": "m", "anomaly.statistic": "value", "anomaly.unit": "By"}, m.AsRaw())
}
