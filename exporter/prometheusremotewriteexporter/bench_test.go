// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package prometheusremotewriteexporter

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	contrib "github.com/open-telemetry/opentelemetry-collector-contrib/exporter/prometheusremotewriteexporter"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// BenchmarkExport writes batches like those of an SDK to a server that accepts all. Contrib's
// exporter, without its queue, does the same for comparison.
func BenchmarkExport(b *testing.B) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("X-Prometheus-Remote-Write-Samples-Written", "1000000")
		w.WriteHeader(http.StatusNoContent)
	}))
	b.Cleanup(s.Close)
	ours := func(message string) (exporter.Factory, component.Config) {
		cfg := createDefaultConfig().(*Config)
		cfg.Client.Endpoint, cfg.ProtobufMessage = s.URL, message
		return NewFactory(), cfg
	}
	theirs := func(string) (exporter.Factory, component.Config) {
		cfg := contrib.NewFactory().CreateDefaultConfig().(*contrib.Config)
		cfg.ClientConfig.Endpoint, cfg.RemoteWriteQueue.Enabled = s.URL, false
		return contrib.NewFactory(), cfg
	}
	for _, bench := range []struct {
		name, message string
		make          func(string) (exporter.Factory, component.Config)
	}{
		{"1.0", messageV1, ours}, {"2.0", messageV2, ours}, {"contrib_1.0", messageV1, theirs},
	} {
		for _, points := range []int{100, 10_000} {
			b.Run(fmt.Sprintf("%s/%d", bench.name, points), func(b *testing.B) {
				factory, cfg := bench.make(bench.message)
				set := nopSettings()
				e, err := factory.CreateMetrics(b.Context(), set, cfg)
				require.NoError(b, err)
				require.NoError(b, e.Start(b.Context(), componenttest.NewNopHost()))
				md := fleet(points)
				b.ReportAllocs()
				b.ResetTimer()
				for range b.N {
					if err := e.ConsumeMetrics(b.Context(), md); err != nil {
						b.Fatal(err)
					}
				}
				b.StopTimer()
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(points), "ns/point")
				require.NoError(b, e.Shutdown(b.Context()))
			})
		}
	}
}

// fleet returns gauges of ten hosts with four attributes each.
func fleet(points int) pmetric.Metrics {
	md := pmetric.NewMetrics()
	for host := range 10 {
		rm := md.ResourceMetrics().AppendEmpty()
		rm.Resource().Attributes().PutStr("service.name", "shop")
		rm.Resource().Attributes().PutStr("service.instance.id", fmt.Sprintf("host-%d", host))
		sm := rm.ScopeMetrics().AppendEmpty()
		for i := range points / 10 {
			if i%20 == 0 {
				m := sm.Metrics().AppendEmpty()
				m.SetName(fmt.Sprintf("http.server.requests.%d", i/20))
				m.SetDescription("Requests that were served.")
				m.SetEmptyGauge()
			}
			dp := addPoint(sm.Metrics().At(i/20).Gauge().DataPoints(), 1_700_000_000_000, float64(i))
			dp.Attributes().PutStr("http.route", fmt.Sprintf("/shop/articles/%d", i%20))
			dp.Attributes().PutStr("http.request.method", "GET")
			dp.Attributes().PutInt("http.response.status_code", 200)
			dp.Attributes().PutStr("network.protocol.version", "1.1")
		}
	}
	return md
}
