// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package prometheusremotewritereceiver

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/auspex-otel/auspex/internal/receiverutil"
	"github.com/auspex-otel/auspex/receiver/prometheusremotewritereceiver/internal/metadata"
)

func TestConfig(t *testing.T) {
	cfg := load(t, "prometheus_remote_write")
	require.NoError(t, confmap.Validate(cfg))
	assert.Equal(t, createDefaultConfig(), cfg)
	assert.Equal(t, "localhost:9090", cfg.Server.NetAddr.Endpoint)
	assert.EqualValues(t, 10485760, cfg.Server.MaxRequestBodySize)

	cfg = load(t, "prometheus_remote_write/all")
	require.NoError(t, confmap.Validate(cfg))
	assert.Equal(t, "clients.crt", cfg.Server.TLS.Get().ClientCAFile)
	assert.Equal(t, component.MustNewID("basicauth"), cfg.Server.Auth.Get().AuthenticatorID)
	assert.Equal(t, receiverutil.Limits{
		MemoryBytes: 100, DecompressedBytes: 6, Items: 7, Fields: 8, FieldBytes: 9, Values: 10, Concurrency: 11, ConcurrencyPerClient: 12, Wait: 13 * time.Second,
	}, cfg.Limits)
	assert.Equal(t, 14, cfg.Remembered)
}

// The receiver accepts the names and keys of contrib's receiver.
func TestContribsExamples(t *testing.T) {
	assert.Equal(t, "prometheus_remote_write", NewFactory().Type().String())
	assert.Equal(t, "prometheusremotewrite", metadata.DeprecatedType.String())
	for _, id := range []string{"prometheusremotewrite", "prometheusremotewrite/body"} {
		cfg := load(t, id)
		require.NoError(t, confmap.Validate(cfg))
		assert.Equal(t, "0.0.0.0:9090", cfg.Server.NetAddr.Endpoint)
		assert.EqualValues(t, 10485760, cfg.Server.MaxRequestBodySize)
	}
}

func TestBadConfigNamesEachKey(t *testing.T) {
	err := confmap.Validate(load(t, "prometheus_remote_write/bad"))
	for _, want := range []string{
		"endpoint: is empty", `compression_algorithms: "gzip" is not supported`, "max_request_body_size: is -1", "read_timeout: is 0s",
		"limits::decompressed_bytes: is 0", "limits::items: is 0", "limits::fields: is 0", "limits::field_bytes: is 0", "limits::values: is 0",
		"limits::concurrency: is 0", "limits::concurrency_per_client: is 0", "limits::wait: is -1s", "remembered: is 0", "limits::item_bytes: does not apply",
	} {
		assert.ErrorContains(t, err, want)
	}
	assert.Len(t, strings.Split(err.Error(), "\n"), 14)
	require.ErrorContains(t, section(t, "prometheus_remote_write/unknown").Unmarshal(createDefaultConfig()), "time_threshold")
}

func TestAddressInUse(t *testing.T) {
	r := start(t, &pipeline{}, nil)
	cfg := createDefaultConfig().(*Config)
	cfg.Server.NetAddr.Endpoint = r.addr
	set := receivertest.NewNopSettings(metadata.Type)
	second, err := NewFactory().CreateMetrics(t.Context(), set, cfg, &pipeline{})
	require.NoError(t, err)
	require.NoError(t, second.Shutdown(t.Context()), "without Start")
	require.ErrorContains(t, second.Start(t.Context(), componenttest.NewNopHost()), "another program does")
}

func load(t *testing.T, id string) *Config {
	t.Helper()
	cfg := createDefaultConfig().(*Config)
	require.NoError(t, section(t, id).Unmarshal(cfg))
	return cfg
}

func section(t *testing.T, id string) *confmap.Conf {
	t.Helper()
	all, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	sub, err := all.Sub(id)
	require.NoError(t, err)
	return sub
}
