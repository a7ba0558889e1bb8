// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package prometheusremotewritereceiver

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/snappy"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/auspex-otel/auspex/receiver/prometheusremotewritereceiver/internal/metadata"
)

// patience is the timeout of all waits in tests.
const patience = 5 * time.Second

// pipeline is the next consumer. It keeps what it accepted.
type pipeline struct {
	// answer returns the result for each batch; nil accepts all.
	answer func(ctx context.Context, md pmetric.Metrics) error

	mu   sync.Mutex
	took []pmetric.Metrics
}

func (*pipeline) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (p *pipeline) ConsumeMetrics(ctx context.Context, md pmetric.Metrics) error {
	if p.answer != nil {
		if err := p.answer(ctx, md); err != nil {
			return err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.took = append(p.took, md)
	return nil
}

// points returns the number of accepted data points.
func (p *pipeline) points() (n int) {
	for _, md := range p.accepted() {
		n += md.DataPointCount()
	}
	return n
}

func (p *pipeline) accepted() []pmetric.Metrics {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.took)
}

// running is a receiver that listens on its own port.
type running struct {
	testing.TB
	*server
	addr      string
	telemetry *componenttest.Telemetry
	log       *observer.ObservedLogs
}

func start(t testing.TB, next consumer.Metrics, change func(*Config)) *running {
	t.Helper()
	return startWith(t, next, componenttest.NewNopHost(), change)
}

func startWith(t testing.TB, next consumer.Metrics, host component.Host, change func(*Config)) *running {
	t.Helper()
	cfg := createDefaultConfig().(*Config)
	cfg.Server.NetAddr.Endpoint = "127.0.0.1:0"
	if change != nil {
		change(cfg)
	}
	require.NoError(t, cfg.Validate())
	r := &running{TB: t, telemetry: componenttest.NewTelemetry()}
	set := receivertest.NewNopSettings(metadata.Type)
	set.TelemetrySettings = r.telemetry.NewTelemetrySettings()
	core, log := observer.New(zap.DebugLevel)
	set.Logger, r.log = zap.New(core), log
	created, err := NewFactory().CreateMetrics(t.Context(), set, cfg, next)
	require.NoError(t, err)
	r.server = created.(*server)
	require.NoError(t, r.Start(t.Context(), host))
	r.addr = r.http.Addr().String()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		assert.NoError(t, r.Shutdown(ctx))
		assert.NoError(t, r.telemetry.Shutdown(context.Background()))
	})
	return r
}

// count returns the value of one of the receiver's counters.
func (r *running) count(name string, label ...string) int64 {
	r.Helper()
	m, err := r.telemetry.GetMetric("otelcol_receiver_prometheus_remote_write_" + name)
	if err != nil {
		return 0 // not recorded yet
	}
	var sum int64
	for _, dp := range m.Data.(metricdata.Sum[int64]).DataPoints {
		ok := len(label) == 0
		for _, key := range []attribute.Key{"reason", "outcome"} {
			if v, has := dp.Attributes.Value(key); has && !ok {
				ok = v.AsString() == label[0]
			}
		}
		if ok {
			sum += dp.Value
		}
	}
	return sum
}

// says checks that a log message contains text.
func (r *running) says(text string) {
	r.Helper()
	assert.Eventually(r, func() bool {
		return slices.ContainsFunc(r.log.All(), func(e observer.LoggedEntry) bool {
			line := []string{e.Message}
			for _, f := range e.Context {
				line = append(line, f.String)
				if err, ok := f.Interface.(error); ok {
					line = append(line, err.Error())
				}
			}
			return strings.Contains(strings.Join(line, " "), text)
		})
	}, patience, 5*time.Millisecond, "no log line has %q: %v", text, r.log.All())
}

// answer is the response that a client received.
type answer struct {
	status int
	header http.Header
	text   string
}

// written returns the counts of written samples, histograms, and exemplars, as "1 0 0".
func (a answer) written() string {
	var counts []string
	for _, kind := range []string{"Samples", "Histograms", "Exemplars"} {
		counts = append(counts, a.header.Get("X-Prometheus-Remote-Write-"+kind+"-Written"))
	}
	return strings.Join(counts, " ")
}

const (
	contentV1 = "application/x-protobuf"
	contentV2 = "application/x-protobuf;proto=io.prometheus.write.v2.Request"
)

// post compresses and sends a body.
func (r *running) post(contentType string, plain []byte) answer {
	r.Helper()
	return r.do(r.request(contentType, snappy.Encode(nil, plain)))
}

func (r *running) request(contentType string, body []byte) *http.Request {
	r.Helper()
	req, err := http.NewRequestWithContext(r.Context(), http.MethodPost, "http://"+r.addr+"/api/v1/write", bytes.NewReader(body))
	require.NoError(r, err)
	req.Header.Set("Content-Encoding", "snappy")
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("User-Agent", "test/1")
	version := "0.1.0"
	if contentType == contentV2 {
		version = "2.0.0"
	}
	req.Header.Set("X-Prometheus-Remote-Write-Version", version)
	return req
}

func (r *running) do(req *http.Request) answer {
	r.Helper()
	res, err := http.DefaultClient.Do(req)
	require.NoError(r, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(r, err)
	return answer{res.StatusCode, res.Header, strings.TrimSpace(string(text))}
}
