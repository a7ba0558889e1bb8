// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/peertest"
)

// gatewayScript replaces the collector that the demo starts. It runs the same program with the gateway's
// configuration on the demo's ports.
const gatewayScript = `#!/bin/sh
export AUSPEX_OTLP_GRPC=127.0.0.1:4317 AUSPEX_OTLP_HTTP=127.0.0.1:4318 AUSPEX_REMOTE_WRITE='%s'
exec '%s' --config=auspex:gateway
`

// TestDemoIntoPrometheus runs the demo, with its day of history and its fault, through the gateway into a real
// Prometheus. It counts the series that the shop sends and those that detection adds.
func TestDemoIntoPrometheus(t *testing.T) {
	if testing.Short() {
		t.Skip("takes over a minute: make e2e runs it")
	}
	bin, err := filepath.Abs("../bin")
	require.NoError(t, err)
	require.FileExists(t, filepath.Join(bin, "auspex-demo"), "run make e2e, which builds it")
	prometheus := peertest.StartPrometheus(t, peertest.PrometheusOptions{OutOfOrder: 30 * time.Hour})
	script := filepath.Join(t.TempDir(), "gateway")
	require.NoError(t, os.WriteFile(script, fmt.Appendf(nil, gatewayScript, prometheus.WriteURL(), filepath.Join(bin, "otelcol-auspex")), 0o700))

	output, err := peertest.Run(t.Context(), t, []string{"CI=true", fmt.Sprintf("SEED=%d", seed(t, 1))}, filepath.Join(bin, "auspex-demo"), "-collector", script)
	keep(t, "output.txt", []byte(output))
	require.NoError(t, err, "the demo:\n%s", output)
	lines := strings.Split(strings.TrimSpace(output), "\n")
	var last struct{ Broken string }
	require.NoError(t, json.Unmarshal([]byte(lines[len(lines)-1]), &last))

	now := time.Now()
	count := func(name, query string) float64 {
		r, err := prometheus.Query(t.Context(), query, now)
		keep(t, name+".json", r.Raw)
		require.NoError(t, err)
		if len(r.Series) == 0 {
			return 0
		}
		return r.Series[0].Samples[0].Value
	}
	const all = `count(last_over_time({__name__=~"%s"}[26h]))`
	total := count("total", fmt.Sprintf(all, ".+"))
	companions := count("companions", fmt.Sprintf(all, "anomaly_(score|observed|expected|lower|upper)"))
	gauges := count("gauges", fmt.Sprintf(all, "anomaly_(max_score|open|rate)"))
	t.Logf("series in Prometheus after a day of the shop: %.0f of its own; added: %.0f gauges of services, %.0f companions of anomalous series",
		total-companions-gauges, gauges, companions)
	assert.Greater(t, total, companions+gauges)
	assert.NotZero(t, gauges)
	assert.NotZero(t, count("broken", fmt.Sprintf(`count(last_over_time(anomaly_score{service_name=%q}[26h]))`, last.Broken)),
		"Prometheus has the score of the broken service")
}
