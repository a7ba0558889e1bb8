// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package elasticsearchbulkreceiver

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap/confmaptest"

	"github.com/auspex-otel/auspex/internal/receiverutil"
)

func load(t *testing.T, name string) (*Config, error) {
	t.Helper()
	conf, err := confmaptest.LoadConf("testdata/config.yaml")
	require.NoError(t, err)
	sub, err := conf.Sub(name)
	require.NoError(t, err)
	cfg := createDefaultConfig().(*Config)
	return cfg, sub.Unmarshal(cfg)
}

func TestConfig(t *testing.T) {
	cfg, err := load(t, "elasticsearch_bulk")
	require.NoError(t, err)
	require.NoError(t, cfg.Validate())
	assert.Equal(t, createDefaultConfig(), cfg)
	assert.Equal(t, "localhost:9200", cfg.ServerConfig.NetAddr.Endpoint)
	assert.Equal(t, int64(100<<20), cfg.ServerConfig.MaxRequestBodySize)

	cfg, err = load(t, "elasticsearch_bulk/all")
	require.NoError(t, err)
	require.NoError(t, cfg.Validate())
	assert.Equal(t, component.MustNewIDWithName("basicauth", "clients"), cfg.ServerConfig.Auth.Get().AuthenticatorID)
	assert.Equal(t, time.Second, cfg.ServerConfig.ReadTimeout)
	assert.Equal(t, receiverutil.Limits{Concurrency: 2, ConcurrencyPerClient: 1, Wait: 8 * time.Second, MemoryBytes: 7000, DecompressedBytes: 9, Items: 6, ItemBytes: 5, Values: 10, Depth: 7}, cfg.Limits)
	assert.Equal(t, receiverutil.Chunk{Items: 3, Bytes: 4}, cfg.Chunk)

	cfg, err = load(t, "elasticsearch_bulk/bad")
	require.NoError(t, err)
	err = cfg.Validate()
	for _, key := range []string{
		"endpoint", "max_request_body_size", "read_timeout", "read_header_timeout", "write_timeout", "version", "limits::concurrency:", "limits::concurrency_per_client", "limits::wait", "limits::decompressed_bytes",
		"retry_after", "chunk::items", "chunk::bytes", "limits::item_bytes", "limits::items", "limits::depth", "limits::fields",
	} {
		require.ErrorContains(t, err, key)
	}

	_, err = load(t, "elasticsearch_bulk/unknown")
	require.ErrorContains(t, err, "index")
}
