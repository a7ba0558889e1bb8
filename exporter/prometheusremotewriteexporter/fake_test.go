// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package prometheusremotewriteexporter

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/prometheus/prompb"
	writev2 "github.com/prometheus/prometheus/prompb/io/prometheus/write/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/auspex-otel/auspex/exporter/prometheusremotewriteexporter/internal/metadata"
)

// messages lists the versions that most tests run with.
var messages = map[string]string{"1.0": messageV1, "2.0": messageV2}

// sample is one value as received by the server. The value of a native histogram is its count.
type sample struct {
	at    int64
	value float64
}

// received is a request as parsed by the server: samples by series, a series as
// name{label="value",…}.
type received struct {
	header  http.Header
	size    int // before compression
	series  map[string][]sample
	symbols []string
	help    map[string]string
}

func (r received) samples() int {
	n := 0
	for _, s := range r.series {
		n += len(s)
	}
	return n
}

// server is a fake server that keeps what it accepts.
type server struct {
	*httptest.Server
	mu       sync.Mutex
	requests []received // all requests
	kept     []received // requests that were answered with 2xx
	// answer returns the response to request number n, counted from 0. It may set headers. Status
	// 0 means 204.
	answer func(w http.ResponseWriter, n int, r received) (status int, text string)
}

func newServer(t *testing.T, answer func(w http.ResponseWriter, n int, r received) (int, string)) *server {
	t.Helper()
	s := &server{answer: answer}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return // the client disconnected
	}
	r, err := decode(req.Header, body)
	if err != nil {
		http.Error(w, "not a request: "+err.Error(), http.StatusTeapot)
		return
	}
	s.mu.Lock()
	n := len(s.requests)
	s.requests = append(s.requests, r)
	s.mu.Unlock()
	status, text := 0, ""
	if s.answer != nil {
		status, text = s.answer(w, n, r)
	}
	if status == 0 {
		status = http.StatusNoContent
	}
	if status/100 == 2 {
		s.mu.Lock()
		s.kept = append(s.kept, r)
		s.mu.Unlock()
		const written = "X-Prometheus-Remote-Write-Samples-Written"
		if r.symbols != nil && w.Header().Get(written) == "" {
			w.Header().Set(written, strconv.Itoa(r.samples()))
		}
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text)
}

// store returns all kept samples by series, in order of arrival.
func (s *server) store() map[string][]sample {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string][]sample{}
	for _, r := range s.kept {
		for name, samples := range r.series {
			all[name] = append(all[name], samples...)
		}
	}
	return all
}

func (s *server) seen() []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

func decode(h http.Header, body []byte) (received, error) {
	raw, err := snappy.Decode(nil, body)
	if err != nil {
		return received{}, err
	}
	r := received{header: h.Clone(), size: len(raw), series: map[string][]sample{}, help: map[string]string{}}
	if strings.Contains(h.Get("Content-Type"), messageV2) {
		return r, r.decodeV2(raw)
	}
	var req prompb.WriteRequest
	if err := req.Unmarshal(raw); err != nil {
		return r, err
	}
	for _, m := range req.Metadata {
		r.help[m.MetricFamilyName] = m.Help
	}
	for _, ts := range req.Timeseries {
		name := seriesName(len(ts.Labels), func(i int) (string, string) { return ts.Labels[i].Name, ts.Labels[i].Value })
		for _, s := range ts.Samples {
			r.series[name] = append(r.series[name], sample{s.Timestamp, s.Value})
		}
		for _, h := range ts.Histograms {
			r.series[name] = append(r.series[name], sample{h.Timestamp, float64(h.GetCountInt())})
		}
	}
	return r, nil
}

func (r *received) decodeV2(raw []byte) error {
	var req writev2.Request
	if err := req.Unmarshal(raw); err != nil {
		return err
	}
	r.symbols = req.Symbols
	for _, ts := range req.Timeseries {
		name := seriesName(len(ts.LabelsRefs)/2, func(i int) (string, string) {
			return req.Symbols[ts.LabelsRefs[2*i]], req.Symbols[ts.LabelsRefs[2*i+1]]
		})
		r.help[name] = req.Symbols[ts.Metadata.HelpRef]
		for _, s := range ts.Samples {
			r.series[name] = append(r.series[name], sample{s.Timestamp, s.Value})
		}
		for _, h := range ts.Histograms {
			r.series[name] = append(r.series[name], sample{h.Timestamp, float64(h.GetCountInt())})
		}
	}
	return nil
}

func seriesName(n int, label func(i int) (name, value string)) string {
	metric, labels := "", []string{}
	for i := range n {
		if k, v := label(i); k == "__name__" {
			metric = v
		} else {
			labels = append(labels, fmt.Sprintf("%s=%q", k, v))
		}
	}
	return metric + "{" + strings.Join(labels, ",") + "}"
}

// rig is an exporter under test.
type rig struct {
	exporter.Metrics
	log *observer.ObservedLogs
	tel *componenttest.Telemetry
}

// start returns an exporter that writes to url. It has no retries and no queue, unless change
// configures them.
func start(t *testing.T, url string, change func(*Config)) *rig {
	t.Helper()
	cfg := createDefaultConfig().(*Config)
	cfg.Client.Endpoint = url
	cfg.Retry.Enabled = false
	if change != nil {
		change(cfg)
	}
	require.NoError(t, cfg.Validate())
	core, log := observer.New(zap.InfoLevel)
	r := &rig{log: log, tel: componenttest.NewTelemetry()}
	set := nopSettings()
	set.TelemetrySettings = r.tel.NewTelemetrySettings()
	set.Logger = zap.New(core)
	set.BuildInfo.Command, set.BuildInfo.Version = "otelcol-auspex", "1.2.3"
	var err error
	r.Metrics, err = NewFactory().CreateMetrics(t.Context(), set, cfg)
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	ctx := context.WithoutCancel(t.Context()) // t.Context is canceled before the cleanup
	t.Cleanup(func() {
		assert.NoError(t, r.Shutdown(ctx))
		assert.NoError(t, r.tel.Shutdown(ctx))
	})
	return r
}

func with(changes ...func(*Config)) func(*Config) {
	return func(c *Config) {
		for _, change := range changes {
			change(c)
		}
	}
}

func message(name string) func(*Config) { return func(c *Config) { c.ProtobufMessage = name } }

func letters(dir string) func(*Config) { return func(c *Config) { c.DeadLetter.Directory = dir } }

func retrying(c *Config) {
	c.Retry.Enabled, c.Retry.InitialInterval, c.Retry.RandomizationFactor = true, time.Millisecond, 0
}

// gauges returns a batch with one point for each name.
func gauges(at int64, value float64, names ...string) pmetric.Metrics {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.name", "shop")
	sm := rm.ScopeMetrics().AppendEmpty()
	for _, name := range names {
		m := sm.Metrics().AppendEmpty()
		m.SetName(name)
		m.SetDescription("help of " + name)
		addPoint(m.SetEmptyGauge().DataPoints(), at, value)
	}
	return md
}

func addPoint(points pmetric.NumberDataPointSlice, at int64, value float64) pmetric.NumberDataPoint {
	dp := points.AppendEmpty()
	dp.SetTimestamp(stamp(at))
	dp.SetDoubleValue(value)
	return dp
}

func stamp(ms int64) pcommon.Timestamp { return pcommon.Timestamp(ms * 1_000_000) }

func numbered(prefix string, n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("%s_%05d", prefix, i)
	}
	return names
}

// counter returns the sum of one of the exporter's own metrics, over all or one value of its attribute.
func (r *rig) counter(t *testing.T, name string, value ...string) int64 {
	t.Helper()
	got, err := r.tel.GetMetric("otelcol_exporter_prometheus_remote_write_" + name)
	require.NoError(t, err)
	n := int64(0)
	for _, dp := range got.Data.(metricdata.Sum[int64]).DataPoints {
		match := len(value) == 0
		for _, kv := range dp.Attributes.ToSlice() {
			match = match || len(value) == 1 && kv.Value.AsString() == value[0]
		}
		if match {
			n += dp.Value
		}
	}
	return n
}

func nopSettings() exporter.Settings {
	set := exportertest.NewNopSettings(metadata.Type)
	set.ID = component.NewID(metadata.Type)
	return set
}

func nopHost() component.Host { return componenttest.NewNopHost() }

// nopExporter replaces an exporter that was shut down.
type nopExporter struct{ exporter.Metrics }

func (nopExporter) Shutdown(context.Context) error { return nil }
