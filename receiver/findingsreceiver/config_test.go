// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package findingsreceiver

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
)

func TestConfig(t *testing.T) {
	for id, want := range map[string]time.Duration{"findings": 15 * time.Second, "findings/slow": time.Minute} {
		cfg, err := load(t, id)
		require.NoError(t, err)
		require.NoError(t, confmap.Validate(cfg))
		assert.Equal(t, &Config{GaugeInterval: want}, cfg)
	}
}

func TestBadConfigNamesEachKey(t *testing.T) {
	cfg, err := load(t, "findings/bad")
	require.NoError(t, err)
	require.ErrorContains(t, confmap.Validate(cfg), "gauge_interval is 1ms, it must be at least 1s")
	_, err = load(t, "findings/unknown")
	require.ErrorContains(t, err, "interval_of_gauges")
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
