// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package windows

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/e2e/clients"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/peertest"
)

// overlay sends the findings to four backends, each through a relay and a queue on disk.
// Records that a backend must reject come in through otlp/poison.
const overlay = `
receivers:
  otlp/poison:
    protocols:
      http:
        endpoint: %[1]s
exporters:
  elasticsearch/8: &elasticsearch
    endpoint: %[2]s
    sending_queue: &queue {storage: file_storage/queue}
    retry_on_failure: &retry {max_elapsed_time: 0s, max_interval: 5s}
    dead_letter: &letters {directory: %[6]s/dead_letter}
  elasticsearch/9:
    <<: *elasticsearch
    endpoint: %[3]s
  prometheus_remote_write:
    endpoint: %[4]s/api/v1/write
    resource_to_telemetry_conversion: {enabled: true}
    sending_queue: *queue
    retry_on_failure: *retry
    dead_letter: *letters
  alertmanager:
    endpoint: %[5]s
    generator_url: http://127.0.0.1:8899
    resend_interval: 10s
    storage: file_storage/queue
    sending_queue: *queue
    retry_on_failure: *retry
    dead_letter: *letters
extensions:
  file_storage/queue:
    directory: %[6]s/queue
    create_directory: true
    fsync: true
    recreate: true
service:
  extensions: [health_check, request_limiter, file_storage/engine, file_storage/file_log, file_storage/queue, anomaly_engine, anomaly_console]
  pipelines:
    metrics/findings:
      receivers: [findings]
      exporters: [prometheus_remote_write]
    logs/findings:
      receivers: [findings]
      exporters: [elasticsearch/8, elasticsearch/9, alertmanager]
    metrics/poison:
      receivers: [otlp/poison]
      exporters: [prometheus_remote_write]
    logs/poison:
      receivers: [otlp/poison]
      exporters: [elasticsearch/8, elasticsearch/9, alertmanager]
`

// script stands in for the collector that the demo starts. Its state outlives the demo.
const script = `#!/bin/sh
export AUSPEX_STATE_DIR='%s'
exec '%s' --config=auspex:default --config='%s'
`

// backend is one server that shows findings.
type backend struct {
	name, component string
	relay           *relay
	running         func() bool
	stop, start     func()
	poisoned        int // records that it must reject
}

// stage holds the backends, the demo, and the incidents that the engine has reported.
type stage struct {
	t            *testing.T
	elastic      []*peertest.Elasticsearch
	prometheus   *peertest.Prometheus
	alertmanager *peertest.Alertmanager
	backends     []*backend
	demo         *peertest.Process
	script       string
	state        string
	poisonURL    string
	seen         map[string]incident.Incident
	annotations  map[string]bool // descriptions of the alert
}

func newStage(t *testing.T) *stage {
	t.Helper()
	folder := t.TempDir()
	s := &stage{
		t: t, script: filepath.Join(folder, "collector"), state: filepath.Join(folder, "state"),
		seen: map[string]incident.Incident{}, annotations: map[string]bool{},
	}
	add := func(name, component, url string, poisoned int, running func() bool, stop, start func()) {
		s.backends = append(s.backends, &backend{name, "exporters::" + component, newRelay(t, url), running, stop, start, poisoned})
	}
	for _, major := range []int{8, 9} {
		es := peertest.StartElasticsearch(t, major)
		s.elastic = append(s.elastic, es)
		name := fmt.Sprintf("elasticsearch/%d", major)
		add(name, name, es.URL, 1, func() bool { return es.Running() }, func() { es.Stop() }, es.Start)
	}
	s.prometheus = peertest.StartPrometheus(t, peertest.PrometheusOptions{
		OutOfOrder: 30 * time.Hour, Rules: filepath.Join(peertest.Root(t), "dashboards", "prometheus", "rules.yaml"),
	})
	add("prometheus", "prometheus_remote_write", s.prometheus.URL(), 1, func() bool { return s.prometheus.Running() }, func() { s.prometheus.Stop() }, s.prometheus.Start)
	s.alertmanager = peertest.StartAlertmanager(t)
	add("alertmanager", "alertmanager", s.alertmanager.URL, 0, func() bool { return s.alertmanager.Running() }, func() { s.alertmanager.Stop() }, s.alertmanager.Start)

	address := peertest.FreeAddresses(t, 1)[0]
	s.poisonURL = "http://" + address
	config := fmt.Sprintf(overlay, address, s.backends[0].relay.URL, s.backends[1].relay.URL, s.backends[2].relay.URL, s.backends[3].relay.URL, s.state)
	file := filepath.Join(folder, "overlay.yaml")
	require.NoError(t, os.WriteFile(file, []byte(config), 0o600))
	require.NoError(t, os.WriteFile(s.script, fmt.Appendf(nil, script, s.state, peertest.CollectorProgram(t), file), 0o700))
	return s
}

// force has the next write requests to each backend sent twice.
func (s *stage) force() {
	for _, b := range s.backends {
		b.relay.force(forcedRetries)
	}
}

// play starts the demo. It runs until stop is called.
func (s *stage) play(fault string) (stop func()) {
	s.t.Helper()
	program := filepath.Join(peertest.Root(s.t), "bin", "auspex-demo")
	require.FileExists(s.t, program, "run make bin/auspex-demo")
	seed := os.Getenv("AUSPEX_E2E_SEED")
	if seed == "" {
		seed = "1"
	}
	s.demo = peertest.Program{
		Name: "the demo", Path: program, Args: []string{"-stay", "-collector", s.script}, Log: filepath.Join(s.t.TempDir(), "demo.log"),
		Env: []string{"CI=true", "SEED=" + seed, "FAULT=" + fault},
	}.Start(s.t)
	return func() {
		s.look()
		s.demo.Stop()
	}
}

// look remembers the incidents that the engine reports. The console does not answer while the collector starts.
func (s *stage) look() {
	text, err := peertest.Get(s.t.Context(), "http://127.0.0.1:8899/api/v1/incidents?state=all")
	if err != nil {
		return
	}
	var list struct {
		Incidents []incident.Incident `json:"incidents"`
	}
	require.NoError(s.t, json.Unmarshal(text, &list))
	for _, i := range list.Incidents {
		s.seen[i.ID] = i
	}
}

// settle waits until the queues are empty and Prometheus has evaluated its rules.
func (s *stage) settle() {
	time.Sleep(30 * time.Second)
	s.look()
}

// poisonName occurs in the records that a backend must reject.
const poisonName = "poison"

// The attribute n of two records has different types, so the second one does not fit the
// mapping. The point is older than the out-of-order window of Prometheus.
const (
	poisonLogs = `{"resourceLogs":[{"resource":{"attributes":[{"key":"data_stream.dataset","value":{"stringValue":"poison"}}]},"scopeLogs":[{"logRecords":[
		{"timeUnixNano":"%[1]d","body":{"stringValue":"poison 1"},"attributes":[{"key":"n","value":{"intValue":"1"}}]},
		{"timeUnixNano":"%[1]d","body":{"stringValue":"poison 2"},"attributes":[{"key":"n","value":{"stringValue":"many"}}]}]}]}]}`
	poisonMetrics = `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"poison","gauge":{"dataPoints":[{"timeUnixNano":"%d","asDouble":1}]}}]}]}]}`
)

// poison sends one record to each backend that it must reject.
func (s *stage) poison() {
	s.t.Helper()
	now := time.Now()
	s.post("/v1/logs", fmt.Sprintf(poisonLogs, now.UnixNano()))
	s.post("/v1/metrics", fmt.Sprintf(poisonMetrics, now.Add(-40*24*time.Hour).UnixNano()))
	time.Sleep(5 * time.Second) // The queues are on disk, so what remains is sent in the next play.
}

func (s *stage) post(path, body string) {
	s.t.Helper()
	status, answer := clients.Post(s.t.Context(), http.DefaultClient, s.poisonURL+path, "application/json", nil, []byte(body))
	require.Equal(s.t, "200 OK", status, "%s", answer)
}
