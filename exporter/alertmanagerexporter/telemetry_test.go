// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package alertmanagerexporter

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/auspex-otel/auspex/exporter/alertmanagerexporter/internal/metadatatest"
)

func TestTelemetry(t *testing.T) {
	telemetry := componenttest.NewTelemetry()
	good, bad := newServer(t, nil), newServer(t, always(http.StatusBadRequest))
	cfg := testConfig()
	cfg.Client.Endpoint, cfg.Endpoints = "", []string{good.URL, bad.URL}
	cfg.Retry.Enabled, cfg.ResendInterval = false, time.Hour
	e, err := NewFactory().CreateLogs(t.Context(), metadatatest.NewSettings(telemetry), cfg)
	require.NoError(t, err)
	require.NoError(t, e.Start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, e.ConsumeLogs(t.Context(), logs(anIncident("a"), anIncident("b"), closedIncident("c"))))

	host := func(s *server) string { return s.Listener.Addr().String() }
	of := func(s *server, outcome string) attribute.Set {
		return attribute.NewSet(attribute.String("outcome", outcome), attribute.String("server.address", host(s)))
	}
	metadatatest.AssertEqualExporterAlertmanagerFiringAlerts(t, telemetry, []metricdata.DataPoint[int64]{{Value: 2}}, metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
	metadatatest.AssertEqualExporterAlertmanagerRequests(t, telemetry, []metricdata.DataPoint[int64]{
		{Value: 1, Attributes: of(good, "accepted")}, {Value: 1, Attributes: of(bad, "refused")},
	}, metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
	require.NoError(t, e.Shutdown(t.Context()))
	require.NoError(t, telemetry.Shutdown(t.Context()))
}

func TestStaleIncidentIsNoLongerSent(t *testing.T) {
	telemetry := componenttest.NewTelemetry()
	s := newServer(t, nil)
	cfg := testConfig()
	cfg.Client.Endpoint = s.URL
	cfg.ResendInterval, cfg.StaleAfter = 10*time.Millisecond, 50*time.Millisecond
	e, err := NewFactory().CreateLogs(t.Context(), metadatatest.NewSettings(telemetry), cfg)
	require.NoError(t, err)
	require.NoError(t, e.Start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, e.ConsumeLogs(t.Context(), logs(anIncident("a"))))
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		m, err := telemetry.GetMetric("otelcol_exporter_alertmanager_evicted_alerts")
		if assert.NoError(c, err) {
			assert.EqualValues(c, 1, m.Data.(metricdata.Sum[int64]).DataPoints[0].Value)
		}
	}, 10*time.Second, 5*time.Millisecond)
	sent := len(s.accepted())
	time.Sleep(50 * time.Millisecond)
	assert.Len(t, s.accepted(), sent)
	require.NoError(t, e.Shutdown(t.Context()))
	require.NoError(t, telemetry.Shutdown(t.Context()))
}
