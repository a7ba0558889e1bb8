// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package peertest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// prometheusFolder is the folder of scripts/peers.sh below the cache.
const prometheusFolder = "prometheus-3.16.0"

// PrometheusOptions configures a server. The zero value accepts remote writes up to 30 minutes
// out of order and scrapes nothing.
type PrometheusOptions struct {
	// OutOfOrder is the maximum age of a written sample relative to the newest.
	OutOfOrder time.Duration
	// Rules is a file of recording and alerting rules.
	Rules string
	// Scrape lists addresses whose /metrics is scraped every second.
	Scrape []string
	// History is a file in OpenMetrics text format with the initial samples.
	History string
}

// Prometheus is a real server with its own database and the remote-write receiver enabled.
// It can be started again after it ended, and then has its samples.
type Prometheus struct {
	*Process
	t       TB
	program Program
	url     string
}

// StartPrometheus starts a server and waits until it is ready.
func StartPrometheus(t TB, o PrometheusOptions) *Prometheus {
	t.Helper()
	if o.OutOfOrder == 0 {
		o.OutOfOrder = 30 * time.Minute
	}
	program := prometheusProgram(t, "prometheus")
	dir, address := t.TempDir(), FreeAddresses(t, 1)[0]
	data := filepath.Join(dir, "data")
	if o.History != "" {
		backfill(t, o.History, data)
	}
	config := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(config, []byte(o.config()), 0o600); err != nil {
		t.Fatalf("write %s: %v", config, err)
	}
	p := &Prometheus{t: t, url: "http://" + address}
	p.program = Program{
		Name: "Prometheus", Path: program, Log: filepath.Join(dir, "prometheus.log"),
		Args: []string{
			"--config.file=" + config, "--storage.tsdb.path=" + data, "--storage.tsdb.retention.time=60d",
			"--web.listen-address=" + address, "--web.enable-remote-write-receiver", "--scrape.discovery-reload-interval=1s",
		},
	}
	p.Start()
	return p
}

// Start runs the server on its folder and its port, and waits until it is ready.
func (p *Prometheus) Start() {
	p.t.Helper()
	p.Process = p.program.Start(p.t)
	p.WaitReady(p.url + "/-/ready")
}

// Promtool runs promtool, and returns its output.
func Promtool(ctx context.Context, t TB, args ...string) (output string, err error) {
	t.Helper()
	return Run(ctx, t, nil, append([]string{prometheusProgram(t, "promtool")}, args...)...)
}

func prometheusProgram(t TB, name string) string {
	t.Helper()
	program := filepath.Join(CacheFolder(t), prometheusFolder, name)
	if _, err := os.Stat(program); err != nil {
		t.Fatalf("Prometheus is not in the cache (%v): run scripts/peers.sh prometheus, which installs it", err)
	}
	return program
}

// backfill converts a file in OpenMetrics text format to a database.
func backfill(t TB, file, data string) {
	t.Helper()
	out, err := Promtool(context.Background(), t, "tsdb", "create-blocks-from", "openmetrics", "--quiet", "--max-block-duration=30d", file, data)
	if err != nil {
		t.Fatalf("promtool cannot convert %s to a database: %v\n%s", file, err, out)
	}
}

// config returns the configuration file.
func (o PrometheusOptions) config() string {
	var b strings.Builder
	fmt.Fprintf(&b, "storage:\n  tsdb:\n    out_of_order_time_window: %dm\n", int(o.OutOfOrder.Minutes()))
	if o.Rules != "" {
		fmt.Fprintf(&b, "rule_files: [%s]\nglobal:\n  evaluation_interval: 5s\n", o.Rules)
	}
	if len(o.Scrape) > 0 {
		fmt.Fprintf(&b, "scrape_configs:\n  - job_name: collector\n    scrape_interval: 1s\n    scrape_timeout: 1s\n    static_configs:\n      - targets: [%s]\n",
			strings.Join(o.Scrape, ", "))
	}
	return b.String()
}

// WriteURL returns the URL for remote write.
func (p *Prometheus) WriteURL() string { return p.url + "/api/v1/write" }

// URL returns the URL of the API.
func (p *Prometheus) URL() string { return p.url }

// CacheFolder returns the folder in which scripts/peers.sh keeps the peers.
func CacheFolder(t TB) string {
	t.Helper()
	if dir := os.Getenv("AUSPEX_CACHE"); dir != "" {
		return dir
	}
	dir := os.Getenv("XDG_CACHE_HOME")
	if dir == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			t.Fatalf("no folder for the peers' cache, set AUSPEX_CACHE: %v", err)
		}
		dir = filepath.Join(home, ".cache")
	}
	return filepath.Join(dir, "auspex")
}
