// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package lumberjackreceiver

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"

	"github.com/auspex-otel/auspex/internal/deadletter"
	"github.com/auspex-otel/auspex/internal/receiverutil"
)

func TestConfig(t *testing.T) {
	cfg := load(t, "lumberjack")
	require.NoError(t, confmap.Validate(cfg))
	assert.Equal(t, createDefaultConfig(), cfg)
	assert.Equal(t, "localhost:5044", cfg.NetAddr.Endpoint)
	assert.False(t, cfg.TLS.HasValue())

	cfg = load(t, "lumberjack/all")
	require.NoError(t, confmap.Validate(cfg))
	assert.Equal(t, "0.0.0.0:5044", cfg.NetAddr.Endpoint)
	assert.Equal(t, "clients.crt", cfg.TLS.Get().ClientCAFile)
	assert.Equal(t, 4, cfg.MaxRequestBodySize)
	assert.Equal(t, []time.Duration{time.Minute, 10 * time.Second, time.Second}, []time.Duration{cfg.IdleTimeout, cfg.ReadTimeout, cfg.KeepAlive})
	assert.Equal(t, receiverutil.Chunk{Items: 100, Bytes: 1000}, cfg.Chunk)
	assert.Equal(t, receiverutil.Limits{Concurrency: 7, ConcurrencyPerClient: 6, Wait: 8 * time.Second, MemoryBytes: 10000, DecompressedBytes: 5, Items: 1, ItemBytes: 2, Fields: 3, Values: 9, Depth: 10}, cfg.Limits)
	require.NoError(t, cfg.codecLimits().Validate())
	assert.Equal(t, deadletter.Config{Directory: "/var/lib/auspex/dead_letter", MaxBytes: 1_000_000}, cfg.DeadLetter)

	cfg = load(t, "lumberjack/socket")
	require.NoError(t, confmap.Validate(cfg))
}

func TestBadConfigNamesEachKey(t *testing.T) {
	err := confmap.Validate(load(t, "lumberjack/bad"))
	for _, want := range []string{
		"endpoint: is empty", `transport: "udp" is not supported`, "dialer: a receiver does not dial", "idle_timeout: is -1s",
		"read_timeout: is 0s", "keep_alive: is -1s", "limits::concurrency: is 0", "limits::concurrency_per_client: is 0", "limits::wait: is -1s", "chunk::items: is 0", "chunk::bytes: is -1",
		"limits::items: is 0", "limits::item_bytes: is 0", "limits::fields: is 0", "max_request_body_size: is 0",
		"limits::decompressed_bytes: is 0", "limits::field_bytes: does not apply to this receiver", "dead_letter: max_bytes: is 0",
	} {
		assert.ErrorContains(t, err, want)
	}
	assert.Len(t, strings.Split(err.Error(), "\n"), 18)
	require.ErrorContains(t, section(t, "lumberjack/unknown").Unmarshal(createDefaultConfig()), "ack_early")
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
