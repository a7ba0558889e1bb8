// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/peertest"
)

// TestShippedConfigsStart verifies that every shipped configuration starts, creates its folders, and stops on
// request.
func TestShippedConfigsStart(t *testing.T) {
	for name, c := range map[string]struct {
		env     []string
		folders []string
	}{
		"default": {folders: []string{"engine", "file_log"}},
		// The backends are unreachable: the agent queues, and the gateway returns an error to the sender.
		"agent":         {env: []string{"AUSPEX_GATEWAY=127.0.0.1:1", "AUSPEX_GATEWAY_INSECURE=true"}, folders: []string{"queue", "file_log"}},
		"agent-kafka":   {env: []string{"AUSPEX_KAFKA=[127.0.0.1:1]", "AUSPEX_KAFKA_INSECURE=true"}, folders: []string{"queue", "file_log"}},
		"gateway-kafka": {env: []string{"AUSPEX_KAFKA=[127.0.0.1:1]", "AUSPEX_KAFKA_INSECURE=true"}, folders: []string{"engine"}},
		"gateway":       {env: []string{"AUSPEX_REMOTE_WRITE=http://127.0.0.1:1/api/v1/write"}, folders: []string{"engine"}},
		"gateway-tail-sampling": {
			env:     []string{"AUSPEX_REMOTE_WRITE=http://127.0.0.1:1/api/v1/write", "AUSPEX_BACKEND=127.0.0.1:1", "AUSPEX_BACKEND_INSECURE=true"},
			folders: []string{"engine", "queue"},
		},
		"load-balancer": {env: []string{"AUSPEX_GATEWAYS=[127.0.0.1:1, 127.0.0.1:2]", "AUSPEX_GATEWAYS_INSECURE=true"}, folders: []string{"queue"}},
		"logstash-replacement": {
			env:     []string{"AUSPEX_ELASTICSEARCH=http://127.0.0.1:1", "AUSPEX_BEATS=" + peertest.FreeAddresses(t, 1)[0]},
			folders: []string{"engine", "queue", "dead_letter"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			col := peertest.StartCollector(t, peertest.CollectorOptions{Base: "auspex:" + name, Env: peertest.Shipped(t, c.env...)})
			for _, folder := range c.folders {
				entries, err := os.ReadDir(filepath.Join(col.State, folder))
				require.NoError(t, err)
				assert.NotEmpty(t, entries, "nothing was written into %s", folder)
			}
			col.Stop()
			assert.NotContains(t, col.Log(), "\tfatal\t")
		})
	}
}

// TestAgentWithoutGateway verifies that an agent without a gateway address names the missing key instead of sending
// to itself.
func TestAgentWithoutGateway(t *testing.T) {
	col := peertest.NewCollector(t, peertest.CollectorOptions{Base: "auspex:agent", Env: peertest.Shipped(t)})
	output, code := col.Run(30 * time.Second)
	assert.Equal(t, 1, code)
	assert.Contains(t, output, `exporters::reliable_otlp::otlp_grpc: requires a non-empty "endpoint"`)
}

// TestUnknownShippedConfig verifies that the error about an unknown configuration lists the existing ones.
func TestUnknownShippedConfig(t *testing.T) {
	col := peertest.NewCollector(t, peertest.CollectorOptions{Env: peertest.Shipped(t)})
	output, code := col.Run(30*time.Second, "--config=auspex:gatway")
	assert.Equal(t, 1, code)
	assert.Contains(t, output, `unknown configuration "auspex:gatway": the shipped configurations are auspex:agent, auspex:agent-kafka, auspex:default, auspex:gateway, auspex:gateway-kafka, auspex:gateway-tail-sampling, auspex:load-balancer, auspex:logstash-replacement`)
}

// TestBareCollectorStartsDefault verifies that the collector uses the default configuration if it has no arguments.
// The unusable address shows that it read the configuration, and stops it before it opens a port.
func TestBareCollectorStartsDefault(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	output, err := peertest.Run(ctx, t, []string{"AUSPEX_CONSOLE=not-an-address", "AUSPEX_STATE_DIR=" + t.TempDir()}, peertest.CollectorProgram(t))
	require.Error(t, err)
	assert.Contains(t, output, `extensions::anomaly_console: endpoint: "not-an-address"`)
}
