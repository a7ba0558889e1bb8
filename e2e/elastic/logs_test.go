// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package elastic

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	v2 "github.com/elastic/go-lumber/client/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/auspex-otel/auspex/internal/peertest"
)

// otlpOverlay adds an OTLP receiver.
const otlpOverlay = `yaml:
receivers:
  otlp:
    protocols:
      grpc:
        endpoint: %s
service:
  pipelines:
    logs:
      receivers: [lumberjack, otlp]
`

// shopLine is a log line of a service. The service repeats the same templates and ends with a new one.
type shopLine struct {
	at    time.Time
	text  string
	error bool
}

// refusal is the only line of the new template. Its number is a variable.
const refusal = "order 4711 was refused by the warehouse"

// shopLines returns two hours of a service's log. The last minute contains the refusal.
func shopLines(end time.Time, seed uint64) (lines []shopLine) {
	random := rand.New(rand.NewPCG(seed, 2))
	for at := end.Add(-2 * time.Hour); at.Before(end); at = at.Add(time.Duration(random.ExpFloat64() * float64(2*time.Second))) {
		switch n := random.IntN(100_000); n % 3 {
		case 0:
			lines = append(lines, shopLine{at: at, text: fmt.Sprintf("order %d was packed", n)})
		case 1:
			lines = append(lines, shopLine{at: at, text: fmt.Sprintf("user %d has signed in from 10.0.%d.7", n, n%200)})
		default:
			lines = append(lines, shopLine{at: at, text: fmt.Sprintf("sent a parcel with %d items", n%9)})
		}
	}
	return append(lines, shopLine{at: end, text: refusal, error: true}, shopLine{at: end.Add(31 * time.Second), text: "order 1 was packed"})
}

// TestLogsHaveTemplates sends the logs of two services, one with go-lumber and one over OTLP. It reads documents and
// findings from Elasticsearch.
func TestLogsHaveTemplates(t *testing.T) {
	needPeers(t)
	es := peertest.StartElasticsearch(t, 8)
	grpcAddress := peertest.FreeAddresses(t, 1)[0]
	c := newCollector(t, es, direct, fmt.Sprintf(otlpOverlay, grpcAddress))
	c.start()
	run, end := newRun(), time.Now().Add(-time.Hour).Truncate(time.Second)
	beats, sdk := "beats-"+run, "sdk-"+run
	sendBeats(t, c.beats, beats, shopLines(end, 1))
	sendOTLP(t, grpcAddress, sdk, shopLines(end, 2))

	for _, service := range []string{beats, sdk} {
		hits, err := es.Search(t.Context(), "logs-*", fmt.Sprintf(`{"bool":{"filter":[{"term":{"resource.attributes.service.name":%q}}],"must_not":[{"exists":{"field":"attributes.anomaly.id"}},{"exists":{"field":"attributes.incident.id"}}]}}`, service))
		require.NoError(t, err)
		ids, refused := map[string]string{}, 0
		for _, h := range hits {
			a := h.Source["attributes"].(map[string]any)
			template, id := a["log.record.template"].(string), a["log.record.template.id"].(string)
			assert.Len(t, id, 16)
			if known, ok := ids[id]; ok {
				assert.Equal(t, known, template)
			}
			ids[id] = template
			if h.Source["body"].(map[string]any)["text"] == refusal {
				refused++
				assert.Equal(t, "new template", a["anomaly.reason"])
				assert.GreaterOrEqual(t, a["anomaly.score"], 1.0)
			}
		}
		assert.Equal(t, 1, refused, service)
		assert.Len(t, ids, 4, "%s: %v", service, ids)
		t.Logf("%s: %d documents, %d templates: %v", service, len(hits), len(ids), ids)
	}
	for _, service := range []string{beats, sdk} {
		peertest.Eventually(t, 30*time.Second, "the incident of "+service, func() error { return namesTemplate(t.Context(), es, service, end) })
	}
}

// namesTemplate returns an error unless the anomaly of a service in Elasticsearch names the new template.
func namesTemplate(ctx context.Context, es *peertest.Elasticsearch, service string, first time.Time) error {
	hits, err := es.Search(ctx, "auspex-*,logs-*", fmt.Sprintf(`{"bool":{"filter":[{"term":{"resource.attributes.service.name":%q}},{"exists":{"field":"attributes.anomaly.id"}}]}}`, service))
	if err != nil {
		return err
	}
	for _, h := range hits {
		a, _ := h.Source["attributes"].(map[string]any)
		if a["anomaly.metric"] != "auspex.log.templates.new" {
			continue
		}
		if a["log.record.template"] != "order <*> was refused by the warehouse" || a["auspex.log.example"] != refusal {
			return fmt.Errorf("the finding names the template %v with the example %v", a["log.record.template"], a["auspex.log.example"])
		}
		seen, err := time.Parse(time.RFC3339Nano, fmt.Sprint(a["auspex.log.template.first_seen"]))
		if err != nil || !seen.Equal(first) {
			return fmt.Errorf("the finding has the time %v, the line was sent at %v: %w", seen, first, err)
		}
		return nil
	}
	return fmt.Errorf("%d findings, none about a new template", len(hits))
}

func sendBeats(t *testing.T, address, service string, lines []shopLine) {
	t.Helper()
	client, err := v2.SyncDial(address, v2.CompressionLevel(3), v2.Timeout(30*time.Second))
	require.NoError(t, err)
	defer client.Close()
	const window = 500
	for len(lines) > 0 {
		n := min(window, len(lines))
		events := make([]any, n)
		for i, l := range lines[:n] {
			level := "info"
			if l.error {
				level = "error"
			}
			events[i] = map[string]any{
				"@timestamp": l.at.UTC().Format("2006-01-02T15:04:05.000Z"), "message": l.text,
				"service": map[string]any{"name": service}, "log": map[string]any{"level": level},
			}
		}
		_, err := client.Send(events)
		require.NoError(t, err)
		lines = lines[n:]
	}
}

func sendOTLP(t *testing.T, address, service string, lines []shopLine) {
	t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	defer conn.Close()
	client := plogotlp.NewGRPCClient(conn)
	const batch = 200
	for len(lines) > 0 {
		n := min(batch, len(lines))
		ld := plog.NewLogs()
		rl := ld.ResourceLogs().AppendEmpty()
		rl.Resource().Attributes().PutStr("service.name", service)
		records := rl.ScopeLogs().AppendEmpty().LogRecords()
		for _, l := range lines[:n] {
			lr := records.AppendEmpty()
			lr.SetTimestamp(pcommon.NewTimestampFromTime(l.at))
			lr.SetSeverityNumber(plog.SeverityNumberInfo)
			if l.error {
				lr.SetSeverityNumber(plog.SeverityNumberError)
			}
			lr.Body().SetStr(l.text)
		}
		_, err := client.Export(t.Context(), plogotlp.NewExportRequestFromLogs(ld))
		require.NoError(t, err)
		lines = lines[n:]
	}
}
