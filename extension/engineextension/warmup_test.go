// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engineextension

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/auspex-otel/auspex/extension/engineextension/internal/metadatatest"
	"github.com/auspex-otel/auspex/internal/engine"
	"github.com/auspex-otel/auspex/internal/warmup"
)

// warming returns a configuration with history at endpoint.
func warming(endpoint string) *Config {
	cfg := onDisk()
	cfg.Storage = nil
	w := warmup.DefaultConfig()
	w.Prometheus.Client.Endpoint = endpoint
	cfg.Warmup = configoptional.Some(w)
	return cfg
}

// past responds like a Prometheus with one gauge that has one sample per minute until now.
func past(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/api/v1/series" {
		fmt.Fprint(w, `{"status":"success","data":[{"__name__":"load","job":"cart"}]}`)
		return
	}
	var samples []string
	now := time.Now().Unix()
	for t := now - 86400; t < now; t += 60 {
		samples = append(samples, fmt.Sprintf(`[%d,"%d"]`, t, 100+t%7))
	}
	fmt.Fprintf(w, `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"load","job":"cart"},"values":[%s]}]}}`, strings.Join(samples, ","))
}

// firstPoint sends the first live point of that gauge.
func firstPoint(e *engine.Engine) []engine.Verdict {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.name", "cart")
	m := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName("load")
	dp := m.SetEmptyGauge().DataPoints().AppendEmpty()
	dp.SetTimestamp(pcommon.NewTimestampFromTime(time.Now().Add(time.Minute)))
	dp.SetDoubleValue(1e6)
	return e.ObserveMetrics(md, engine.Output{Select: engine.SelectAll})
}

func TestWarmStart(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(past))
	defer server.Close()
	telemetry := componenttest.NewTelemetry()
	e, err := NewFactory().Create(t.Context(), metadatatest.NewSettings(telemetry), warming(server.URL))
	require.NoError(t, err)
	require.NoError(t, e.Start(t.Context(), host{}))
	v := firstPoint(engineOf(e))
	require.Len(t, v, 1)
	assert.Greater(t, v[0].Score, 1.0)
	metadatatest.AssertEqualExtensionAnomalyEngineSeriesWarmed(t, telemetry, []metricdata.DataPoint[int64]{{Value: 1}}, metricdatatest.IgnoreTimestamp())
	require.NoError(t, e.Shutdown(t.Context()))
	require.NoError(t, telemetry.Shutdown(t.Context()))
}

func TestWarmStartSaysWhatItDid(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(past))
	defer server.Close()
	e, logs := newTest(t, warming(strings.Replace(server.URL, "http://", "http://user:hunter2@", 1)))
	require.NoError(t, e.Start(t.Context(), host{}))
	done := logs.FilterMessage("warm start: done").All()
	require.Len(t, done, 1)
	said := done[0].ContextMap()
	assert.Equal(t, []any{int64(1), int64(1), int64(1440)}, []any{said["streams"], said["of"], said["samples"]})
	assert.Contains(t, said["endpoint"], "127.0.0.1")
	assert.NotContains(t, fmt.Sprint(logs.All()), "hunter2")
	require.NoError(t, e.Shutdown(t.Context()))
}

// A failed warm start is logged and does not prevent the start.
func TestColdStartIsSaid(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	e, logs := newTest(t, warming(server.URL))
	require.NoError(t, e.Start(t.Context(), host{}))
	said := logs.FilterMessage("warm start: cannot read any history, all series start cold").All()
	require.Len(t, said, 1)
	assert.Contains(t, said[0].ContextMap()["error"], server.URL+"/api/v1/series answered 404")
	assert.Empty(t, firstPoint(engineOf(e)))
	require.NoError(t, e.Shutdown(t.Context()))
}

func TestHistoryBeyondMaxSeriesIsSaid(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(past))
	defer server.Close()
	cfg := warming(server.URL)
	cfg.Engine.MaxSeries = 0
	e, logs := newTest(t, cfg)
	require.NoError(t, e.Start(t.Context(), host{}))
	assert.Equal(t, 1, logs.FilterMessageSnippet("more than max_series series").Len())
	require.NoError(t, e.Shutdown(t.Context()))
}
