// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package findings

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/auspex-otel/auspex/internal/engine"
	"github.com/auspex-otel/auspex/internal/engine/view"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func events() engine.Events {
	attributes := map[string]string{}
	for i := range 20 {
		attributes[fmt.Sprint("attribute ", i)] = "value"
	}
	return engine.Events{
		Anomalies: []*incident.Anomaly{
			{ID: "a1", Subject: incident.Subject{Service: "cart", Attributes: attributes}, Opened: noon},
			{ID: "a2", Subject: incident.Subject{Service: "payment"}, Opened: noon},
			{ID: "a3", Subject: incident.Subject{Service: "cart"}, Opened: noon},
		},
		Incidents: []*incident.Incident{{ID: "i1", Service: "payment", Opened: noon}},
	}
}

func TestLogsHaveAResourceForEachService(t *testing.T) {
	got := map[string][]string{}
	for _, rl := range Logs(events()).ResourceLogs().All() {
		service, _ := rl.Resource().Attributes().Get(vocabulary.ServiceName)
		for _, lr := range rl.ScopeLogs().At(0).LogRecords().All() {
			got[service.Str()] = append(got[service.Str()], lr.EventName())
		}
	}
	assert.Equal(t, map[string][]string{
		"cart":    {vocabulary.EventAnomaly, vocabulary.EventAnomaly},
		"payment": {vocabulary.EventAnomaly, vocabulary.EventIncident},
	}, got)
}

// A finding that is emitted again has the same bytes, so that a reader can remove it.
func TestLogsHaveTheSameBytesEachTime(t *testing.T) {
	first, err := (&plog.ProtoMarshaler{}).MarshalLogs(Logs(events()))
	require.NoError(t, err)
	for range 20 {
		again, err := (&plog.ProtoMarshaler{}).MarshalLogs(Logs(events()))
		require.NoError(t, err)
		assert.Equal(t, first, again)
	}
}

func TestStaleMarkerFollowsTheLastPoint(t *testing.T) {
	at := pcommon.NewTimestampFromTime(noon)
	companions := func(end bool) *view.Companions {
		return &view.Companions{Resource: pcommon.NewMap(), Scope: pcommon.NewInstrumentationScope(), Attributes: pcommon.NewMap(), Metric: "load", Time: at, End: end}
	}
	md := Metrics(engine.Gauges{
		Services:   []engine.Gauge{{Service: "cart", Time: at, Count: 3}},
		Companions: []*view.Companions{companions(false), companions(true)},
	})
	require.Equal(t, 3, md.ResourceMetrics().Len())
	count := md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(5)
	assert.Equal(t, vocabulary.MetricCount, count.Name())
	assert.EqualValues(t, 3, count.Sum().DataPoints().At(0).IntValue())
	last, stale := md.ResourceMetrics().At(1).ScopeMetrics().At(0).Metrics().At(0), md.ResourceMetrics().At(2).ScopeMetrics().At(0).Metrics().At(0)
	assert.Equal(t, at, last.Gauge().DataPoints().At(0).Timestamp())
	assert.Greater(t, stale.Gauge().DataPoints().At(0).Timestamp(), at)
	assert.True(t, stale.Gauge().DataPoints().At(0).Flags().NoRecordedValue())
}
