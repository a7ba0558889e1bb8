// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package elasticsearchbulkreceiver

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/auspex-otel/auspex/internal/ecs"
	"github.com/auspex-otel/auspex/receiver/elasticsearchbulkreceiver/internal/metadata"
)

// BenchmarkBesideOTLP reads 1,000 events as Filebeat writes them, and the same log records as
// OTLP in JSON. It measures the throughput of each receiver on one core, without the connection.
func BenchmarkBesideOTLP(b *testing.B) {
	const count = 1000
	var body bytes.Buffer
	batch := ecs.NewBatch(metadata.ScopeName, "1.0")
	for i := range count {
		event := fmt.Sprintf(`{"@timestamp":"2026-05-04T12:00:00.%03dZ","message":"GET /cart/%d 200 in %d ms","log":{"offset":%d,"file":{"path":"/var/log/shop.log"}},`+
			`"input":{"type":"log"},"ecs":{"version":"1.12.0"},"host":{"name":"web-1","architecture":"x86_64","os":{"type":"linux","version":"12"}},`+
			`"agent":{"id":"f7c1","name":"web-1","type":"filebeat","version":"7.17.29","ephemeral_id":"e"},"service":{"name":"cart"}}`, i, i, i%90, 64*i)
		body.WriteString(`{"create":{"_index":"filebeat-7.17.29"}}` + "\n" + event + "\n")
		f, err := ecs.Parse([]byte(event))
		require.NoError(b, err)
		f.Route("filebeat-7.17.29", "", "", "")
		batch.AddLog(f, f.ID(), 1)
	}
	otlp, err := plogotlp.NewExportRequestFromLogs(batch.Logs).MarshalJSON()
	require.NoError(b, err)
	next := consumertest.NewNop()

	b.Run("bulk", func(b *testing.B) {
		s, err := newServer(createDefaultConfig().(*Config), receivertest.NewNopSettings(metadata.Type))
		require.NoError(b, err)
		s.logs = next
		b.ReportAllocs()
		for b.Loop() {
			w := httptest.NewRecorder()
			s.serve(w, httptest.NewRequest(http.MethodPost, "/_bulk?filter_path=errors", bytes.NewReader(body.Bytes())))
			if w.Body.String() != `{"errors":false}` {
				b.Fatal(w.Body.String())
			}
		}
		b.ReportMetric(count*float64(b.N)/b.Elapsed().Seconds(), "events/s")
	})
	b.Run("otlp-json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			req := plogotlp.NewExportRequest()
			if err := req.UnmarshalJSON(otlp); err != nil {
				b.Fatal(err)
			}
			if err := next.ConsumeLogs(b.Context(), req.Logs()); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(count*float64(b.N)/b.Elapsed().Seconds(), "events/s")
	})
}
