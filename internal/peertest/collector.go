// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package peertest

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// The environment variables with the addresses and the folder of a collector, used as
// ${env:E2E_OTLP}. E2E_OTLP2 is for a second receiver.
const (
	envOTLP    = "E2E_OTLP"
	envOTLP2   = "E2E_OTLP2"
	envConsole = "E2E_CONSOLE"
	envHealth  = "E2E_HEALTH"
	envPprof   = "E2E_PPROF"
	envHost    = "E2E_METRICS_HOST"
	envPort    = "E2E_METRICS_PORT"
	envState   = "E2E_STATE"
)

// CollectorOptions configures a collector.
type CollectorOptions struct {
	// Config is a configuration in YAML. It must contain or inherit a health_check extension on
	// $E2E_HEALTH.
	Config string
	// Base is the location of a configuration that Config overrides, or "".
	Base string
	// Env is added to the environment. $E2E_… in a value is replaced by that variable's value.
	Env []string
}

// Shipped returns the environment that moves a shipped configuration to free ports and into folders of the test.
func Shipped(t TB, more ...string) []string {
	t.Helper()
	return append([]string{
		"AUSPEX_OTLP_GRPC=$E2E_OTLP", "AUSPEX_OTLP_HTTP=$E2E_OTLP2", "AUSPEX_CONSOLE=$E2E_CONSOLE", "AUSPEX_HEALTH=$E2E_HEALTH",
		"AUSPEX_METRICS=$E2E_METRICS_PORT", "AUSPEX_STATE_DIR=$E2E_STATE", "AUSPEX_LOG_FILES=" + filepath.Join(t.TempDir(), "*.log"),
	}, more...)
}

// Collector is the program under test with one configuration. It may be restarted, with the same
// folder.
type Collector struct {
	*Process
	t       TB
	program string
	config  string
	log     string
	args    []string
	env     []string

	// OTLP and OTLP2 receive OTLP over gRPC, Console serves the API, Metrics the collector's own
	// metrics, Pprof profiles.
	OTLP, OTLP2, Console, Metrics, Pprof string
	// State is the folder of persistent data.
	State  string
	health string
}

// NewCollector prepares a collector: it chooses addresses and writes the configuration.
func NewCollector(t TB, o CollectorOptions) *Collector {
	t.Helper()
	dir, a := t.TempDir(), FreeAddresses(t, 6)
	c := &Collector{
		t: t, program: CollectorProgram(t), config: filepath.Join(dir, "config.yaml"), log: filepath.Join(dir, "collector.log"),
		OTLP: a[0], OTLP2: a[1], Console: a[2], Metrics: a[3], Pprof: a[4], health: a[5], State: filepath.Join(dir, "state"),
	}
	host, port := splitAddress(t, c.Metrics)
	own := map[string]string{
		envOTLP: c.OTLP, envOTLP2: c.OTLP2, envConsole: c.Console, envHealth: c.health,
		envPprof: c.Pprof, envHost: host, envPort: port, envState: c.State,
	}
	for name, value := range own {
		c.env = append(c.env, name+"="+value)
	}
	for _, e := range o.Env {
		c.env = append(c.env, os.Expand(e, func(name string) string { return own[name] }))
	}
	if o.Base != "" {
		c.args = append(c.args, "--config="+o.Base)
	}
	if o.Config != "" || o.Base == "" {
		c.args = append(c.args, "--config="+c.config)
	}
	if err := os.MkdirAll(c.State, 0o700); err != nil {
		t.Fatalf("state folder: %v", err)
	}
	c.SetConfig(o.Config)
	return c
}

// StartCollector prepares a collector, starts it, and waits until it is healthy.
func StartCollector(t TB, o CollectorOptions) *Collector {
	t.Helper()
	c := NewCollector(t, o)
	c.Start()
	return c
}

// SetConfig writes the configuration for the next start.
func (c *Collector) SetConfig(text string) {
	c.t.Helper()
	if err := os.WriteFile(c.config, []byte(text), 0o600); err != nil {
		c.t.Fatalf("write %s: %v", c.config, err)
	}
}

// Setenv adds a variable to the environment of the next start.
func (c *Collector) Setenv(name, value string) { c.env = append(c.env, name+"="+value) }

// Start runs the collector and waits until it is healthy.
func (c *Collector) Start() {
	c.t.Helper()
	c.Begin()
	c.WaitHealthy()
}

// Begin starts the collector without waiting until it is healthy.
func (c *Collector) Begin() {
	c.t.Helper()
	c.Process = Program{Name: "the collector", Path: c.program, Args: c.args, Env: c.env, Log: c.log}.Start(c.t)
}

// WaitHealthy waits until all pipelines run.
func (c *Collector) WaitHealthy() {
	c.t.Helper()
	c.WaitReady("http://" + c.health + "/")
}

// Run runs the collector until it exits, and returns its output and exit code. It fails the test
// if that takes longer than within.
func (c *Collector) Run(within time.Duration, args ...string) (output string, code int) {
	c.t.Helper()
	if len(args) == 0 {
		args = c.args
	}
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	p := Program{Name: "the collector", Path: c.program, Args: args, Env: c.env, Log: c.log}.Start(c.t)
	err := p.Wait(ctx)
	if ctx.Err() != nil {
		c.t.Fatalf("the collector did not exit within %v. The end of its log:\n%s", within, lastLines(p.Log(), 10))
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		code = exit.ExitCode()
	}
	return p.Log(), code
}

// Ask decodes the console's response to a GET of path into the value that into points to.
func (c *Collector) Ask(ctx context.Context, path string, into any) error {
	answer, err := Get(ctx, "http://"+c.Console+path)
	if err != nil {
		return err
	}
	return json.Unmarshal(answer, into)
}

// ConfigFile returns the path of the configuration.
func (c *Collector) ConfigFile() string { return c.config }

// CollectorProgram returns the path of the collector: $AUSPEX_E2E_COLLECTOR, else
// bin/otelcol-auspex.
func CollectorProgram(t TB) string {
	t.Helper()
	program := os.Getenv("AUSPEX_E2E_COLLECTOR")
	if program == "" {
		program = filepath.Join(Root(t), "bin", "otelcol-auspex")
	}
	if _, err := os.Stat(program); err != nil {
		t.Fatalf("the collector is not built (%v): run make build", err)
	}
	return program
}
