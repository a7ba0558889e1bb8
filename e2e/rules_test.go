// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/dashboards/prometheus"
	"github.com/auspex-otel/auspex/internal/engine"
	"github.com/auspex-otel/auspex/internal/peertest"
)

// TestRules runs the unit tests of the rules: each alert fires and stays quiet on written series.
func TestRules(t *testing.T) {
	folder := filepath.Join(peertest.Root(t), "dashboards", "prometheus")
	for _, args := range [][]string{{"check", "rules", "--lint-fatal", filepath.Join(folder, "rules.yaml")}, {"test", "rules", filepath.Join(folder, "rules_test.yaml")}} {
		output, err := peertest.Promtool(t.Context(), t, args...)
		require.NoError(t, err, "promtool %v:\n%s", args, output)
	}
}

// rulesConfig has a queue for each signal. Each queue holds one request, which its backend never accepts.
const rulesConfig = `
receivers:
  otlp:
    protocols:
      http:
        endpoint: ${env:E2E_OTLP}
processors:
  anomaly:
exporters:
  otlp_http:
    endpoint: http://127.0.0.1:1
    sending_queue: {queue_size: 1, sizer: requests, num_consumers: 1, block_on_overflow: false}
extensions:
  anomaly_engine:
  health_check:
    endpoint: ${env:E2E_HEALTH}
service:
  extensions: [anomaly_engine, health_check]
  telemetry:
    metrics:
      readers:
        - pull:
            exporter:
              prometheus:
                host: ${env:E2E_METRICS_HOST}
                port: ${env:E2E_METRICS_PORT}
  pipelines:
    metrics: {receivers: [otlp], processors: [anomaly], exporters: [otlp_http]}
    logs: {receivers: [otlp], processors: [anomaly], exporters: [otlp_http]}
    traces: {receivers: [otlp], processors: [anomaly], exporters: [otlp_http]}
`

// aPoint, aLine, and aSpan are requests of OTLP/HTTP. The engine rejects the point without a time.
const (
	aPoint = `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"m","gauge":{"dataPoints":[{"timeUnixNano":"%d","asDouble":1},{"asDouble":1}]}}]}]}]}`
	aLine  = `{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"%d","body":{"stringValue":"x"}}]}]}]}`
	aSpan  = `{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0102030405060708","name":"x","startTimeUnixNano":"1","endTimeUnixNano":"%d"}]}]}]}`
)

// TestRulesNameMetricsOfTheCollector holds that a running collector has every metric of its
// own that a rule uses.
func TestRulesNameMetricsOfTheCollector(t *testing.T) {
	c := peertest.StartCollector(t, peertest.CollectorOptions{Config: rulesConfig})
	var page []byte
	missing := func() (names []string) {
		for _, name := range regexp.MustCompile(`otelcol_\w+`).FindAllString(string(prometheus.Rules), -1) {
			if !bytes.Contains(page, []byte("\n"+name+"{")) && !bytes.Contains(page, []byte("\n"+name+" ")) {
				names = append(names, name)
			}
		}
		return names
	}
	peertest.Eventually(t, 30*time.Second, "the metrics of the rules", func() error {
		for path, request := range map[string]string{"metrics": aPoint, "logs": aLine, "traces": aSpan} {
			overflow(t, "http://"+c.OTLP+"/v1/"+path, request)
		}
		var err error
		if page, err = peertest.Get(t.Context(), "http://"+c.Metrics+"/metrics"); err != nil {
			return err
		}
		if names := missing(); len(names) > 0 {
			return fmt.Errorf("the collector has no metrics %v", names)
		}
		return nil
	})
	assert.Contains(t, string(prometheus.Rules), `reason="`+engine.RefusedNoRoom+`"`)
	assert.Contains(t, string(page), `otelcol_exporter_queue_capacity{data_type="logs",exporter="otlp_http"} 1`)
}

// overflow sends a request twice. The queue rejects at least the third one of a signal.
func overflow(t *testing.T, url, format string) {
	t.Helper()
	for range 2 {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(fmt.Appendf(nil, format, time.Now().UnixNano())))
		require.NoError(t, err)
		req.Header.Set("Content-Type", "application/json")
		res, err := http.DefaultClient.Do(req)
		if err == nil {
			_ = res.Body.Close()
		}
		cancel()
	}
}
