// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package reliableotlpexporter

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/auspex-otel/auspex/exporter/reliableotlpexporter/internal/metadata"
	"github.com/auspex-otel/auspex/internal/shutdown"
)

// receive starts core's receiver and returns its addresses and its sink.
func receive(t *testing.T) (overGRPC, overHTTP string, sink *consumertest.LogsSink) {
	t.Helper()
	overGRPC, overHTTP, sink = free(t), free(t), &consumertest.LogsSink{}
	f := otlpreceiver.NewFactory()
	cfg := f.CreateDefaultConfig()
	require.NoError(t, confmap.NewFromStringMap(map[string]any{"protocols": map[string]any{
		"grpc": map[string]any{"endpoint": overGRPC},
		"http": map[string]any{"endpoint": overHTTP, "max_request_body_size": defaultMaxRequestBytes},
	}}).Unmarshal(cfg))
	r, err := f.CreateLogs(t.Context(), receivertest.NewNopSettings(f.Type()), cfg, sink)
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { assert.NoError(t, r.Shutdown(context.Background())) })
	return overGRPC, overHTTP, sink
}

func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return l.Addr().String()
}

// TestThroughCore sends a batch and a record that core's receiver rejects to each kind of target.
func TestThroughCore(t *testing.T) {
	overGRPC, overHTTP, sink := receive(t)
	insecure := map[string]any{"insecure": true}
	for name, target := range map[string]map[string]any{
		"otlp_grpc": {"endpoint": overGRPC, "tls": insecure},
		"otlp_http": {"endpoint": "http://" + overHTTP},
		"load_balancing": {
			"routing_key": "attributes", "routing_attributes": []string{"service.name"},
			"resolver": map[string]any{"static": map[string]any{"hostnames": []string{overGRPC}}},
			"protocol": map[string]any{"otlp": map[string]any{"tls": insecure}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			cfg := createDefaultConfig()
			require.NoError(t, confmap.NewFromStringMap(map[string]any{
				name: target, "dead_letter": map[string]any{"directory": dir},
			}).Unmarshal(cfg))
			require.NoError(t, confmap.Validate(cfg))
			e, err := NewFactory().CreateLogs(t.Context(), exportertest.NewNopSettings(metadata.Type), cfg)
			require.NoError(t, err)
			require.NoError(t, e.Start(t.Context(), componenttest.NewNopHost()))
			defer func() { assert.NoError(t, e.Shutdown(context.Background())) }()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			sink.Reset()
			require.NoError(t, e.ConsumeLogs(ctx, batch(1001, 1000, 5<<20)))
			require.NoError(t, e.ConsumeLogs(ctx, batch(2, 1, 3<<20)))
			assert.ElementsMatch(t, append(numbers(0, 1000), numbers(0, 2)...), bodies(sink.AllLogs()...))
			assert.Len(t, letters(t, dir), 1)
		})
	}
}

// A redirect would send data and credentials to another host.
func TestRedirectsAreNotFollowed(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { assert.Fail(t, "the redirect was followed") }))
	defer elsewhere.Close()
	target := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	defer target.Close()
	dir := t.TempDir()
	cfg := createDefaultConfig()
	require.NoError(t, confmap.NewFromStringMap(map[string]any{
		"otlp_http": map[string]any{"endpoint": target.URL}, "dead_letter": map[string]any{"directory": dir},
		"retry_on_failure": map[string]any{"enabled": false},
	}).Unmarshal(cfg))
	e, err := NewFactory().CreateLogs(t.Context(), exportertest.NewNopSettings(metadata.Type), cfg)
	require.NoError(t, err)
	require.NoError(t, e.Start(t.Context(), componenttest.NewNopHost()))
	defer func() { assert.NoError(t, e.Shutdown(context.Background())) }()
	err = e.ConsumeLogs(t.Context(), batch(1, 1, 1))
	require.ErrorContains(t, err, "redirects are not followed: set endpoint to \""+elsewhere.URL)
	assert.False(t, consumererror.IsPermanent(err))
	assert.Empty(t, letters(t, dir))
}

func TestConfig(t *testing.T) {
	all, err := confmaptest.LoadConf("testdata/config.yaml")
	require.NoError(t, err)
	for name, want := range map[string]string{
		"reliable_otlp":           "",
		"reliable_otlp/http":      "",
		"reliable_otlp/balancing": "",
		"reliable_otlp/kafka":     "",
		"reliable_otlp/acks":      "kafka::producer::required_acks: is 1, it must be all",
		"reliable_otlp/partition": "kafka: remove partition_…",
		"reliable_otlp/spread":    "kafka::record_partitioner: must be sticky_key",
		"reliable_otlp/json":      `kafka::logs::encoding: is "otlp_json", it must be otlp_proto`,
		"reliable_otlp/key":       "kafka::traces::message_key_from_metadata_key: remove it",
		"reliable_otlp/message":   "kafka::producer::max_message_bytes: is 100, it must be at least 5120",
		"reliable_otlp/none":      "0 of otlp_grpc, otlp_http, load_balancing, and kafka are set, it must be one",
		"reliable_otlp/two":       "2 of otlp_grpc",
		"reliable_otlp/inner":     "otlp_grpc::sending_queue: set sending_queue of this exporter instead",
		"reliable_otlp/retry":     "otlp_http::retry_on_failure: set retry_on_failure of this exporter instead",
		"reliable_otlp/memory":    "load_balancing::protocol::otlp::sending_queue: is in memory",
		"reliable_otlp/small":     "max_request_bytes: is 5, it must be at least 1024",
		"reliable_otlp/endpoint":  `requires a non-empty "endpoint"`,
	} {
		t.Run(name, func(t *testing.T) {
			section, err := all.Sub(name)
			require.NoError(t, err)
			cfg := createDefaultConfig().(*Config)
			require.NoError(t, section.Unmarshal(cfg))
			if err = confmap.Validate(cfg); want != "" {
				require.ErrorContains(t, err, want)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, defaultMaxRequestBytes, cfg.MaxRequestBytes)
			assert.Zero(t, cfg.Retry.MaxElapsedTime)
		})
	}
}

// A next hop that accepts a request without answering delays a shutdown by shutdown.Drain at
// most.
func TestShutdownDoesNotWaitForTheNextHop(t *testing.T) {
	asked, release := make(chan struct{}, 10), make(chan struct{})
	hop := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		asked <- struct{}{}
		<-release
	}))
	defer hop.Close()
	defer close(release)
	f := NewFactory()
	cfg := f.CreateDefaultConfig()
	require.NoError(t, confmap.NewFromStringMap(map[string]any{
		"otlp_http": map[string]any{"endpoint": hop.URL}, "sending_queue": map[string]any{"enabled": true},
	}).Unmarshal(cfg))
	e, err := f.CreateLogs(t.Context(), exportertest.NewNopSettings(f.Type()), cfg)
	require.NoError(t, err)
	require.NoError(t, e.Start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, e.ConsumeLogs(t.Context(), batch(1, 0, 10)))
	<-asked
	begin := time.Now()
	_ = e.Shutdown(t.Context()) // the memory queue drops the batch
	assert.InDelta(t, shutdown.Drain.Seconds(), time.Since(begin).Seconds(), 1)
}
