// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package alertmanagerexporter

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// anIncident returns an open incident of checkout that payments causes.
func anIncident(id string) *incident.Incident {
	symptom := incident.Anomaly{
		ID: "a1", Subject: incident.Subject{Service: "checkout", Metric: "http.server.request.duration", Statistic: "p99", Unit: "s"},
		Kind: "high", Opened: noon, Observed: 0.812, Expected: 0.118,
	}
	cause := symptom
	cause.ID, cause.Service, cause.Observed = "a2", "payments", 0.7
	return &incident.Incident{
		ID: id, Service: "checkout", State: incident.StateOpen, Opened: noon, Updated: noon.Add(time.Minute), MaxScore: 3.25,
		Count: 3, Services: []string{"checkout", "payments"}, Symptom: symptom, TraceIDs: []string{"ff", "ee"},
		Suspects: []incident.Suspect{
			{Service: "payments", Party: incident.Party{Kind: incident.Service, Name: "payments"}, Evidence: cause, Changes: []incident.Change{{Kind: incident.ChangeVersion, What: "1.8.2", Time: noon}}},
			{Service: "db-1", Party: incident.Party{Kind: incident.Database, Name: "db-1"}, Evidence: symptom},
		},
	}
}

// logs returns events as the findings receiver emits them, behind the event of an anomaly.
func logs(list ...*incident.Incident) plog.Logs {
	ld := plog.NewLogs()
	for _, i := range list {
		rl := ld.ResourceLogs().AppendEmpty()
		rl.Resource().Attributes().PutStr(vocabulary.ServiceName, i.Service)
		records := rl.ScopeLogs().AppendEmpty().LogRecords()
		vocabulary.PutAnomaly(records.AppendEmpty(), &i.Symptom)
		vocabulary.PutIncident(records.AppendEmpty(), i)
	}
	return ld
}

func testConfig() *Config {
	cfg := createDefaultConfig().(*Config)
	cfg.Client.Endpoint = "http://127.0.0.1:1"
	return cfg
}

func TestAlertOfAnIncident(t *testing.T) {
	cfg := testConfig()
	cfg.GeneratorURL = "http://console.example/"
	cfg.ExternalLabels = map[string]string{"team": "shop"}
	i := anIncident("00000000000000bb")
	updates := cfg.incidents(logs(i))
	require.Len(t, updates, 1, "the event of an anomaly is no alert")
	u := updates[0]
	assert.Equal(t, update{
		ID: "00000000000000bb", Updated: noon.Add(time.Minute),
		Alert: alert{
			Labels:   map[string]string{"alertname": "AuspexIncident", "severity": "warning", "service": "checkout", "incident_id": "00000000000000bb", "team": "shop"},
			StartsAt: noon, GeneratorURL: "http://console.example/incidents/00000000000000bb",
			Annotations: map[string]string{
				"summary": "Incident of checkout, likely cause: payments", "description": vocabulary.Account(i, time.UTC),
				"suspects": "payments (service), db-1 (database)", "services": "checkout, payments",
				"evidence": vocabulary.Sentence(&i.Suspects[0].Evidence) + "\n" + vocabulary.Sentence(&i.Symptom),
				"changes":  "payments: version 1.8.2 appeared at 2026-05-04T12:00:00Z", "trace_ids": "ff, ee", "anomalies": "3", "max_score": "3.2",
				"console": "http://console.example/incidents/00000000000000bb", "runbook_url": "https://github.com/auspex-otel/auspex/blob/main/docs/runbooks.md#auspexincident",
			},
		},
	}, u)

	i.State, i.Closed, i.Reason, i.Undetermined = incident.StateClosed, noon.Add(time.Hour), incident.Recovered, true
	closed := cfg.incidents(logs(i))[0]
	assert.True(t, closed.Closed)
	assert.Equal(t, noon.Add(time.Hour), closed.Alert.EndsAt)
	assert.Equal(t, u.Alert.Labels, closed.Alert.Labels, "the labels are the identity of the alert")
	assert.Equal(t, "recovered", closed.Alert.Annotations["closed_because"])
	assert.Equal(t, "Incident of checkout, the cause is undetermined", closed.Alert.Annotations["summary"])
}

func TestSeverityAttribute(t *testing.T) {
	cfg := testConfig()
	cfg.SeverityAttribute = "level"
	ld := logs(anIncident("a"), anIncident("b"), anIncident("c"))
	for i, attributes := range []string{"", "resource", "record"} {
		rl := ld.ResourceLogs().At(i)
		if attributes != "" {
			rl.Resource().Attributes().PutStr("level", "of the resource")
		}
		if attributes == "record" {
			rl.ScopeLogs().At(0).LogRecords().At(1).Attributes().PutStr("level", "of the record")
		}
	}
	var got []string
	for _, u := range cfg.incidents(ld) {
		got = append(got, u.Alert.Labels["severity"])
	}
	assert.Equal(t, []string{"warning", "of the resource", "of the record"}, got)
}

// Records come from the network, too, so they may have any form.
func TestForeignRecords(t *testing.T) {
	cfg := testConfig()
	ld := plog.NewLogs()
	records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	records.AppendEmpty().Body().SetStr("an ordinary line")
	records.AppendEmpty().SetEventName(vocabulary.EventIncident) // without an id
	odd := records.AppendEmpty()
	odd.SetEventName(vocabulary.EventIncident)
	odd.Body().SetStr(strings.Repeat("größer ", 1000) + "\xff")
	at := odd.Attributes()
	at.PutStr(vocabulary.AttrIncidentID, strings.Repeat("\xc3", 5000))
	at.PutStr(vocabulary.AttrIncOpened, "yesterday")
	at.PutStr(vocabulary.AttrSuspects, "no list")
	at.PutStr(vocabulary.MetricMaxScore, "no number")
	updates := cfg.incidents(ld)
	require.Len(t, updates, 1)
	u := updates[0]
	assert.Equal(t, "unknown_service", u.Alert.Labels["service"])
	assert.NotContains(t, u.Alert.Annotations, "suspects")
	assert.NotContains(t, u.Alert.Annotations, "max_score")
	for _, values := range []map[string]string{u.Alert.Labels, u.Alert.Annotations} {
		for name, v := range values {
			assert.True(t, utf8.ValidString(v), name)
			assert.LessOrEqual(t, len(v), maxAnnotation, name)
		}
	}
}
