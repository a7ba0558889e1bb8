// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package anomalyprocessor

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"

	"github.com/auspex-otel/auspex/internal/engine"
)

func TestConfig(t *testing.T) {
	for id, want := range map[string]Output{
		"anomaly":     {Select: engine.SelectAnomalous, Band: true, MaxSeries: 1000},
		"anomaly/all": {Select: engine.SelectAll, Band: false, MaxSeries: 7},
	} {
		cfg, err := load(t, id)
		require.NoError(t, err)
		require.NoError(t, confmap.Validate(cfg))
		assert.Equal(t, &Config{Output: want}, cfg)
	}
}

func TestBadConfigNamesEachKey(t *testing.T) {
	cfg, err := load(t, "anomaly/bad")
	require.NoError(t, err)
	err = confmap.Validate(cfg)
	require.ErrorContains(t, err, `output::select is "some", it must be anomalous, all, or none`)
	require.ErrorContains(t, err, "output::max_series is 0")
}

func TestUnknownKeyIsNamed(t *testing.T) {
	_, err := load(t, "anomaly/unknown")
	require.ErrorContains(t, err, "max_serie")
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
