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
	assert.Equal(t, 7, cfg.MaxConnections)
	assert.Equal(t, 3, cfg.MaxConnectionsPerClient)
	assert.Equal(t, []time.Duration{time.Minute, 10 * time.Second, time.Second}, []time.Duration{cfg.IdleTimeout, cfg.ReadTimeout, cfg.KeepAlive})
	assert.Equal(t, PartConfig{Events: 100, Bytes: 1000}, cfg.Part)
	assert.Equal(t, LimitsConfig{WindowEvents: 1, EventBytes: 2, Pairs: 3, CompressedBytes: 4, DecompressedBytes: 5}, cfg.Limits)
	require.NoError(t, cfg.Limits.limits().Validate())
	assert.Equal(t, DeadLetterConfig{Directory: "/var/lib/auspex/dead-letters", MaxBytes: 6}, cfg.DeadLetter)

	cfg = load(t, "lumberjack/socket")
	require.NoError(t, confmap.Validate(cfg))
}

func TestBadConfigNamesEachKey(t *testing.T) {
	err := confmap.Validate(load(t, "lumberjack/bad"))
	for _, want := range []string{
		"endpoint: is empty", `transport: "udp" is not supported`, "dialer: a receiver does not dial", "idle_timeout: is -1s",
		"read_timeout: is 0s", "keep_alive: is -1s", "max_connections: is 0", "max_connections_per_client: is 0", "part::events: is 0", "part::bytes: is -1",
		"limits::window_events: is 0", "limits::event_bytes: is 0", "limits::pairs: is 0", "limits::compressed_bytes: is 0",
		"limits::decompressed_bytes: is 0", "dead_letter::max_bytes: is 0",
	} {
		assert.ErrorContains(t, err, want)
	}
	assert.Len(t, strings.Split(err.Error(), "\n"), 16)
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
