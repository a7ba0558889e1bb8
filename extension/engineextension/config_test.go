// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engineextension

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"

	"github.com/auspex-otel/auspex/internal/engine"
)

func TestConfig(t *testing.T) {
	cfg, err := load(t, "anomaly_engine")
	require.NoError(t, err)
	require.NoError(t, confmap.Validate(cfg))
	assert.Equal(t, &Config{
		Engine: engine.Config{
			FalseAlarms: engine.FalseAlarms{Count: 5, Per: 24 * time.Hour, MaxAlpha: 1e-3}, MaxSeries: 100_000, SeriesTTL: 24 * time.Hour,
		},
		SnapshotInterval: time.Minute,
	}, cfg, "as the README has it")

	cfg, err = load(t, "anomaly_engine/all")
	require.NoError(t, err)
	require.NoError(t, confmap.Validate(cfg))
	id := component.MustNewIDWithName("file_storage", "engine")
	assert.Equal(t, &Config{
		Engine: engine.Config{
			FalseAlarms: engine.FalseAlarms{Count: 2, Per: 12 * time.Hour, MaxAlpha: 1e-4}, MaxSeries: 500, SeriesTTL: 2 * time.Hour,
		},
		Storage: &id, SnapshotInterval: 10 * time.Second,
	}, cfg)
}

func TestBadConfigNamesEachKey(t *testing.T) {
	cfg, err := load(t, "anomaly_engine/bad")
	require.NoError(t, err)
	err = confmap.Validate(cfg)
	for _, want := range []string{
		"false_alarms::count is 0", "false_alarms::per is 1s", "false_alarms::max_alpha is 1", "max_series is 1", "series_ttl is 1s", "snapshot_interval is 1ms",
	} {
		require.ErrorContains(t, err, want)
	}
	_, err = load(t, "anomaly_engine/unknown")
	require.ErrorContains(t, err, "false_alarm")
	_, err = load(t, "anomaly_engine/storage")
	require.ErrorContains(t, err, "storage")
}

func load(t *testing.T, id string) (*Config, error) {
	t.Helper()
	cm, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	sub, err := cm.Sub(id)
	require.NoError(t, err)
	cfg := NewFactory().CreateDefaultConfig().(*Config)
	return cfg, sub.Unmarshal(cfg)
}
