// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package peertest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// AgentOptions configures a scraper.
type AgentOptions struct {
	// WriteURL is the URL for remote write.
	WriteURL string
	// Message is the protobuf message that a Prometheus agent sends, or "" for the default.
	Message string
	// Label is the value of the label client on all written series.
	Label string
}

// Agent is a program that scrapes itself every second and writes the samples.
type Agent struct {
	*Process
	// URL is the address of its own metrics.
	URL string
}

// StartPrometheusAgent starts a Prometheus in agent mode, which keeps only unwritten samples.
func StartPrometheusAgent(t TB, o AgentOptions) *Agent {
	t.Helper()
	dir, address := t.TempDir(), FreeAddresses(t, 1)[0]
	message := o.Message
	if message == "" {
		message = "prometheus.WriteRequest"
	}
	config := filepath.Join(dir, "agent.yml")
	text := fmt.Sprintf(`global: {scrape_interval: 1s, scrape_timeout: 1s, external_labels: {client: %q}}
scrape_configs:
- {job_name: self, scrape_native_histograms: true, always_scrape_classic_histograms: true, static_configs: [{targets: [%q]}]}
remote_write:
- url: %q
  protobuf_message: %s
  send_native_histograms: true
  send_exemplars: true
  queue_config: {batch_send_deadline: 500ms, max_backoff: 500ms}
`, o.Label, address, o.WriteURL, message)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatalf("write %s: %v", config, err)
	}
	a := &Agent{URL: "http://" + address}
	a.Process = Program{
		Name: "the Prometheus agent", Path: prometheusProgram(t, "prometheus"), Log: filepath.Join(dir, "agent.log"),
		Args: []string{
			"--agent", "--config.file=" + config, "--storage.agent.path=" + filepath.Join(dir, "data"),
			"--web.listen-address=" + address, "--enable-feature=metadata-wal-records",
		},
	}.Start(t)
	a.WaitReady(a.URL + "/-/ready")
	return a
}

// StartVMAgent starts the vmagent on the path. Debian has it in the package victoria-metrics.
func StartVMAgent(t TB, o AgentOptions) *Agent {
	t.Helper()
	program, err := exec.LookPath("vmagent")
	if err != nil {
		t.Fatalf("vmagent is not installed: %v; Debian has it in the package victoria-metrics", err)
	}
	dir, address := t.TempDir(), FreeAddresses(t, 1)[0]
	config := filepath.Join(dir, "vmagent.yml")
	text := fmt.Sprintf(`global: {scrape_interval: 1s, scrape_timeout: 1s, external_labels: {client: %q}}
scrape_configs:
- {job_name: self, static_configs: [{targets: [%q]}]}
`, o.Label, address)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatalf("write %s: %v", config, err)
	}
	a := &Agent{URL: "http://" + address}
	a.Process = Program{
		Name: "vmagent", Path: program, Log: filepath.Join(dir, "vmagent.log"),
		Args: []string{
			"-promscrape.config=" + config, "-httpListenAddr=" + address, "-remoteWrite.url=" + o.WriteURL,
			"-remoteWrite.tmpDataPath=" + filepath.Join(dir, "data"), "-remoteWrite.flushInterval=500ms",
		},
	}.Start(t)
	a.WaitReady(a.URL + "/health")
	return a
}

// Complaints returns the warnings and errors in an agent's log.
func (a *Agent) Complaints() []string {
	var list []string
	for line := range strings.Lines(a.Log()) {
		if strings.Contains(line, "level=WARN") || strings.Contains(line, "level=ERROR") || strings.Contains(line, "\twarn\t") || strings.Contains(line, "\terror\t") {
			list = append(list, strings.TrimSpace(line))
		}
	}
	return list
}
