// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package windows

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/auspex-otel/auspex/exporter/alertmanagerexporter"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/peertest"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// TestAlertmanager sends the states of one incident through the exporter to two real
// Alertmanagers, of which one restarts and forgets its alerts.
func TestAlertmanager(t *testing.T) {
	needPeers(t)
	one, two := peertest.StartAlertmanager(t), peertest.StartAlertmanager(t)
	factory := alertmanagerexporter.NewFactory()
	cfg := factory.CreateDefaultConfig().(*alertmanagerexporter.Config)
	cfg.Endpoints = []string{one.URL, two.URL}
	cfg.ResendInterval = time.Second
	require.NoError(t, cfg.Validate())
	e, err := factory.CreateLogs(t.Context(), exportertest.NewNopSettings(factory.Type()), cfg)
	require.NoError(t, err)
	require.NoError(t, e.Start(t.Context(), componenttest.NewNopHost()))
	defer func() { require.NoError(t, e.Shutdown(t.Context())) }()

	opened := time.Now().Add(-time.Minute)
	i := &incident.Incident{
		ID: "00000000000000bb", Service: "checkout", State: incident.StateOpen, Opened: opened, Updated: opened.Add(time.Second), Count: 1,
		Symptom: incident.Anomaly{ID: "a", Subject: incident.Subject{Service: "checkout", Metric: "latency", Statistic: "p99", Unit: "s"}, Opened: opened, Observed: 1, Expected: 0.1},
	}
	send := func() {
		ld := plog.NewLogs()
		rl := ld.ResourceLogs().AppendEmpty()
		rl.Resource().Attributes().PutStr(vocabulary.ServiceName, i.Service)
		vocabulary.PutIncident(rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty(), i)
		require.NoError(t, e.ConsumeLogs(t.Context(), ld))
	}
	has := func(a *peertest.Alertmanager, anomalies string) {
		t.Helper()
		peertest.Eventually(t, 10*time.Second, "the alert in "+a.URL, func() error {
			alerts, err := a.Alerts(t.Context())
			if err != nil {
				return err
			}
			if len(alerts) != 1 || alerts[0].Annotations["anomalies"] != anomalies {
				return fmt.Errorf("there are %d alerts: %v", len(alerts), alerts)
			}
			return nil
		})
	}
	send()
	has(one, "1")
	has(two, "1")
	i.Count, i.Updated = 5, i.Updated.Add(time.Second)
	send()
	has(one, "5")
	two.Stop()
	two.Start()
	has(two, "5")

	i.State, i.Closed, i.Reason, i.Updated = incident.StateClosed, time.Now(), incident.Recovered, time.Now()
	send()
	for _, a := range []*peertest.Alertmanager{one, two} {
		peertest.Eventually(t, 20*time.Second, "the notification of the close", func() error {
			if n := notifications(a, i.ID); n["resolved"] != 1 {
				return fmt.Errorf("notifications: %v", n)
			}
			return nil
		})
		assert.Equal(t, map[string]int{"firing": 1, "resolved": 1}, notifications(a, i.ID))
		alerts, err := a.Alerts(t.Context())
		require.NoError(t, err)
		assert.Empty(t, alerts)
	}
	last := one.Notifications()[1].Alerts[0]
	assert.Equal(t, map[string]string{"alertname": "AuspexIncident", "incident_id": i.ID, "service": "checkout", "severity": "warning"}, last.Labels)
	assert.WithinDuration(t, i.Opened, last.StartsAt, time.Millisecond)
	assert.WithinDuration(t, i.Closed, last.EndsAt, time.Millisecond)
	assert.Equal(t, "recovered", last.Annotations["closed_because"])
}

// notifications counts the notifications of an incident by their status.
func notifications(a *peertest.Alertmanager, id string) map[string]int {
	n := map[string]int{}
	for _, note := range a.Notifications() {
		for _, alert := range note.Alerts {
			if alert.Labels["incident_id"] == id {
				n[note.Status]++
			}
		}
	}
	return n
}
