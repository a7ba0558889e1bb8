// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/peertest"
)

// TestUnreadableConfig verifies that a configuration error names the file, the key, and the reason.
func TestUnreadableConfig(t *testing.T) {
	good := config(t, "engine.yaml")
	for name, test := range map[string]struct {
		config string
		says   []string
	}{
		"not YAML":        {"receivers:\n  otlp: [\n", []string{"config.yaml", "line "}},
		"unknown key":     {strings.Replace(good, "  anomaly:\n", "  anomaly:\n    outputs:\n", 1), []string{"processors", "anomaly", "outputs"}},
		"value not known": {strings.Replace(good, "  anomaly:\n", "  anomaly:\n    output:\n      select: some\n", 1), []string{"processors::anomaly", "output::select", `"some"`, "anomalous, all, or none"}},
		"out of range":    {strings.Replace(good, "snapshot_interval: 1s", "snapshot_interval: 1ms", 1), []string{"extensions::anomaly_engine", "snapshot_interval", "1ms", "at least 1s"}},
		"not a duration":  {strings.Replace(good, "snapshot_interval: 1s", "snapshot_interval: soon", 1), []string{"anomaly_engine", "snapshot_interval", "invalid duration"}},
		"no such storage": {strings.Replace(good, "storage: file_storage/engine", "storage: file_storage/other", 1), []string{"anomaly_engine", "storage", "file_storage/other"}},
	} {
		t.Run(name, func(t *testing.T) {
			c := peertest.NewCollector(t, peertest.CollectorOptions{Config: test.config})
			output, code := c.Run(30 * time.Second)
			keep(t, "output.txt", []byte(output))
			assert.NotZero(t, code, "exit code")
			for _, s := range append(test.says, c.ConfigFile()) {
				assert.Contains(t, output, s)
			}
		})
	}
	t.Run("no such file", func(t *testing.T) {
		c := peertest.NewCollector(t, peertest.CollectorOptions{})
		require.NoError(t, os.Remove(c.ConfigFile()))
		output, code := c.Run(30 * time.Second)
		assert.NotZero(t, code, "exit code")
		assert.Contains(t, output, c.ConfigFile())
		assert.Contains(t, output, "no such file")
	})
}

// TestExitCodes verifies that incorrect usage has another exit code than a failure.
func TestExitCodes(t *testing.T) {
	for line, want := range map[string]int{
		"--no-such-flag":     2,
		"no-such-command":    2,
		"validate":           2,
		"health now":         2,
		"validate --config=": 1,
		"--version":          0,
	} {
		c := peertest.NewCollector(t, peertest.CollectorOptions{})
		output, code := c.Run(30*time.Second, strings.Fields(line)...)
		assert.Equal(t, want, code, "otelcol-auspex %s:\n%s", line, output)
	}
}

// TestTakenPort verifies that the collector exits with one clear error and a remedy if a port is in use.
func TestTakenPort(t *testing.T) {
	for name, address := range map[string]func(*peertest.Collector) string{
		"OTLP":    func(c *peertest.Collector) string { return c.OTLP },
		"console": func(c *peertest.Collector) string { return c.Console },
		"metrics": func(c *peertest.Collector) string { return c.Metrics },
	} {
		t.Run(name, func(t *testing.T) {
			c := peertest.NewCollector(t, peertest.CollectorOptions{Config: config(t, "engine.yaml")})
			l, err := net.Listen("tcp", address(c))
			require.NoError(t, err)
			defer l.Close()
			output, code := c.Run(30 * time.Second)
			keep(t, "output.txt", []byte(output))
			assert.Equal(t, 1, code, "exit code")
			assert.Contains(t, output, "Another process listens on "+address(c)+": end it")
			assert.Contains(t, output, "address already in use")
			assert.Equal(t, 1, strings.Count(output, "\nError: "), "errors at the end:\n%s", output)
		})
	}
}
