// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package elasticsearchbulkreceiver

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/auspex-otel/auspex/internal/receiverutil"
	"github.com/auspex-otel/auspex/receiver/elasticsearchbulkreceiver/internal/metadata"
)

const patience = 5 * time.Second

// pipeline is the next consumer of both signals. It keeps what it accepted.
type pipeline struct {
	// answer returns the result for each batch of log records, by call number; nil accepts all.
	answer func(ctx context.Context, call int, bodies []string) error

	mu      sync.Mutex
	calls   int
	took    []string
	logs    []plog.Logs
	metrics []pmetric.Metrics
}

func (p *pipeline) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (p *pipeline) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	var bodies []string
	for _, rl := range ld.ResourceLogs().All() {
		for _, lr := range rl.ScopeLogs().At(0).LogRecords().All() {
			bodies = append(bodies, lr.Body().AsString())
		}
	}
	p.mu.Lock()
	p.calls++
	call := p.calls
	p.mu.Unlock()
	if p.answer != nil {
		if err := p.answer(ctx, call, bodies); err != nil {
			return err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.took = append(p.took, bodies...)
	p.logs = append(p.logs, ld)
	return nil
}

func (p *pipeline) ConsumeMetrics(_ context.Context, md pmetric.Metrics) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.metrics = append(p.metrics, md)
	return nil
}

func (p *pipeline) accepted() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.took)
}

// running is a receiver that listens on its own port.
type running struct {
	*testing.T
	*server
	url       string
	telemetry *componenttest.Telemetry
}

type signals struct{ logs, metrics bool }

func start(t *testing.T, next *pipeline, change func(*Config)) *running {
	t.Helper()
	return startWith(t, next, signals{logs: true, metrics: true}, componenttest.NewNopHost(), change)
}

func startWith(t *testing.T, next *pipeline, takes signals, host component.Host, change func(*Config)) *running {
	t.Helper()
	cfg := createDefaultConfig().(*Config)
	cfg.ServerConfig.NetAddr.Endpoint = "127.0.0.1:0"
	if change != nil {
		change(cfg)
	}
	require.NoError(t, cfg.Validate())
	r := &running{T: t, telemetry: componenttest.NewTelemetry()}
	set := receivertest.NewNopSettings(metadata.Type)
	set.TelemetrySettings = r.telemetry.NewTelemetrySettings()
	var all []component.Component
	if takes.logs {
		c, err := NewFactory().CreateLogs(t.Context(), set, cfg, next)
		require.NoError(t, err)
		all = append(all, c)
	}
	if takes.metrics {
		c, err := NewFactory().CreateMetrics(t.Context(), set, cfg, next)
		require.NoError(t, err)
		all = append(all, c)
	}
	for _, c := range all {
		require.NoError(t, c.Start(t.Context(), host))
	}
	r.server = all[0].(*receiverutil.Instance[*server]).Component
	r.url = "http://" + r.http.Addr().String()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		for _, c := range all {
			assert.NoError(t, c.Shutdown(ctx))
		}
		assert.NoError(t, r.telemetry.Shutdown(context.Background()))
	})
	return r
}

// count returns the value of one of the receiver's counters.
func (r *running) count(name string, reason ...string) int64 {
	r.Helper()
	m, err := r.telemetry.GetMetric("otelcol_receiver_elasticsearch_bulk_" + name)
	if err != nil {
		return 0 // not recorded yet
	}
	var sum int64
	for _, dp := range m.Data.(metricdata.Sum[int64]).DataPoints {
		v, _ := dp.Attributes.Value(attribute.Key("reason"))
		if len(reason) == 0 || v.AsString() == reason[0] {
			sum += dp.Value
		}
	}
	return sum
}

// counts waits until a counter has the value want.
func (r *running) counts(want int64, name string, reason ...string) {
	r.Helper()
	assert.Eventually(r, func() bool { return r.count(name, reason...) == want }, patience, 5*time.Millisecond,
		"%s %v is %d, not %d", name, reason, r.count(name, reason...), want)
}

// reply is an answer whose body has been read.
type reply struct {
	*http.Response
	text string
}

func (a reply) object(t *testing.T) (o map[string]any) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(a.text), &o), a.text)
	return o
}

// item returns item n of a bulk answer, for any operation.
func (a reply) item(t *testing.T, n int) map[string]any {
	t.Helper()
	items := a.object(t)["items"].([]any)
	require.Greater(t, len(items), n)
	for _, outcome := range items[n].(map[string]any) {
		return outcome.(map[string]any)
	}
	return nil
}

// statuses returns the statuses of the items, in order.
func (a reply) statuses(t *testing.T) (all []int) {
	t.Helper()
	for n := range a.object(t)["items"].([]any) {
		all = append(all, int(a.item(t, n)["status"].(float64)))
	}
	return all
}

// do sends a request. Each header has the form "Name: value".
func (r *running) do(method, path string, body io.Reader, headers ...string) reply {
	r.Helper()
	req, err := http.NewRequestWithContext(r.Context(), method, r.url+path, body)
	require.NoError(r, err)
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Add(name, value)
	}
	res, err := http.DefaultClient.Do(req)
	require.NoError(r, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(r, err)
	assert.Equal(r, "Elasticsearch", res.Header.Get("X-Elastic-Product"), "%s %s", method, path)
	return reply{res, string(text)}
}

// bulk sends lines to /_bulk.
func (r *running) bulk(lines ...string) reply {
	r.Helper()
	return r.do(http.MethodPost, "/_bulk", strings.NewReader(strings.Join(lines, "\n")+"\n"), "Content-Type: application/x-ndjson")
}

const toIndex = `{"index":{"_index":"i"}}`

func said(text string) string { return `{"message":"` + text + `"}` }

func zipped(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

func declared(t *testing.T, name string) (enum []string) {
	t.Helper()
	conf, err := confmaptest.LoadConf("metadata.yaml")
	require.NoError(t, err)
	attributes, err := conf.Sub("attributes::" + name)
	require.NoError(t, err)
	for _, v := range attributes.Get("enum").([]any) {
		enum = append(enum, v.(string))
	}
	return enum
}
