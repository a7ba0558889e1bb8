// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package consoleextension

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
)

const scraped = `# TYPE otelcol_receiver_accepted_spans counter
otelcol_receiver_accepted_spans{receiver="otlp",transport="grpc"} %N
otelcol_receiver_refused_spans{receiver="otlp",transport="http"} 3
# TYPE otelcol_exporter_sent_log_records_total counter
otelcol_exporter_sent_log_records_total{exporter="otlp/b"} 7
# TYPE otelcol_processor_incoming_items counter
otelcol_processor_incoming_items{otel_signal="metrics",processor="anomaly"} 5
# TYPE otelcol_exporter_queue_size gauge
otelcol_exporter_queue_size{data_type="logs",exporter="otlp/b"} 20
# TYPE otelcol_exporter_queue_capacity gauge
otelcol_exporter_queue_capacity{data_type="logs",exporter="otlp/b"} 100
# TYPE otelcol_exporter_elasticsearch_dead_letters_total counter
otelcol_exporter_elasticsearch_dead_letters_total{reason="mapping"} 2
otelcol_exporter_elasticsearch_dead_letters_total{reason="size"} 1
`

// wholeConfig is a collector's configuration with a Prometheus reader at a host and a port.
func wholeConfig(host string, port any) *confmap.Conf {
	return confmap.NewFromStringMap(map[string]any{
		"exporters": map[string]any{"otlp/b": map[string]any{
			"endpoint": "https://ann:pw1@backend:4317", "headers": map[string]any{"X-Tenant": "pw2", "Authorization": "pw3"},
			"api_key": "pw4", "tls": map[string]any{"key_pem": "pw5"}, "auth": map[string]any{"client_secret": "pw6", "Password": "pw7"}, "token": "",
		}},
		"service": map[string]any{
			"pipelines": map[string]any{
				"traces": map[string]any{"receivers": []any{"otlp"}, "processors": []any{"anomaly"}, "exporters": []any{"otlp/b"}},
				"logs":   map[string]any{"receivers": []any{"otlp"}, "exporters": []any{"otlp/b"}},
			},
			"telemetry": map[string]any{"metrics": map[string]any{"readers": []any{
				map[string]any{"periodic": map[string]any{}},
				map[string]any{"pull": map[string]any{"exporter": map[string]any{"prometheus": map[string]any{"host": host, "port": port}}}},
			}}},
		},
	})
}

func TestPipelines(t *testing.T) {
	var n atomic.Value
	n.Store("100")
	own := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, strings.Replace(scraped, "%N", n.Load().(string), 1))
	}))
	defer own.Close()
	host, port, _ := strings.Cut(strings.TrimPrefix(own.URL, "http://"), ":")
	c := newTestConsole("127.0.0.1:0")
	require.NoError(t, c.NotifyConfig(t.Context(), wholeConfig(host, port)))
	base := startThis(t, c, newHost(newEngine()))
	a := getJSON(t, base+"/api/v1/pipelines")
	require.Equal(t, http.StatusOK, a.status, a.raw)
	golden(t, "pipelines", a.body)

	n.Store("160")
	c.api.pipelines.at = time.Now().Add(-30 * time.Second)
	component := getJSON(t, base+"/api/v1/pipelines").list(t, "components")[2]
	assert.Equal(t, "traces", component["signal"])
	assert.InDelta(t, 2, component["rates"].(map[string]any)["accepted"], .1, "60 more in 30 seconds")
	assert.InDelta(t, 0, component["rates"].(map[string]any)["refused"], 0)

	own.Close()
	c.api.pipelines.at = time.Time{}
	a = getJSON(t, base+"/api/v1/pipelines")
	assert.Contains(t, a.body["unavailable"], "the collector's own metrics cannot be read from "+own.URL)
	assert.Len(t, a.list(t, "pipelines"), 2)
}

func TestMetricsOfOtherHostsAreNotRead(t *testing.T) {
	for _, conf := range []*confmap.Conf{wholeConfig("192.0.2.7", 8888), wholeConfig("0.0.0.0", 8888), wholeConfig("127.0.0.1", nil), confmap.New()} {
		assert.Empty(t, metricsURL(conf))
	}
	assert.Equal(t, "http://[::1]:8888/metrics", metricsURL(wholeConfig("::1", 8888)))
	assert.Equal(t, "http://localhost:8888/metrics", metricsURL(wholeConfig("localhost", 8888)))
	c := newTestConsole("127.0.0.1:0")
	base := startThis(t, c, newHost(newEngine()))
	assert.Equal(t, http.StatusServiceUnavailable, getJSON(t, base+"/api/v1/pipelines").status, "the configuration is not known yet")
	assert.Equal(t, http.StatusServiceUnavailable, getJSON(t, base+"/api/v1/config").status)
	require.NoError(t, c.NotifyConfig(t.Context(), confmap.New()))
	assert.Contains(t, getJSON(t, base+"/api/v1/pipelines").body["unavailable"], "configure a Prometheus reader on 127.0.0.1")
}

func TestSecretsAreHidden(t *testing.T) {
	c := newTestConsole("127.0.0.1:0")
	require.NoError(t, c.NotifyConfig(t.Context(), wholeConfig("127.0.0.1", 8888)))
	base := startThis(t, c, newHost(newEngine()))
	text := getJSON(t, base+"/api/v1/config").body["config"].(string)
	assert.NotContains(t, text, "pw")
	assert.Contains(t, text, "https://[hidden]@backend:4317")
	assert.Contains(t, text, "X-Tenant: '[hidden]'")
	assert.Contains(t, text, "port: 8888")
	assert.Contains(t, text, `token: ""`, "an empty one hides nothing")
}
