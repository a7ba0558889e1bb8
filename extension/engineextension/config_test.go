// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engineextension

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"

	"github.com/auspex-otel/auspex/internal/engine"
	"github.com/auspex-otel/auspex/internal/policy"
	"github.com/auspex-otel/auspex/internal/warmup"
)

func TestConfig(t *testing.T) {
	cfg, err := load(t, "anomaly_engine")
	require.NoError(t, err)
	require.NoError(t, confmap.Validate(cfg))
	assert.Equal(t, &Config{
		Engine: engine.Config{
			FalseAlarms: engine.FalseAlarms{Count: 5, Per: 24 * time.Hour, Replicas: 1, MaxAlpha: 1e-3}, MaxSeries: 100_000, AcceptAfter: time.Hour, SeriesTTL: 24 * time.Hour,
			Logs: engine.Logs{Examples: true},
		},
		SnapshotInterval: time.Minute,
		Warmup:           configoptional.Default(warmup.DefaultConfig()),
	}, cfg, "as the README has it")
	assert.False(t, cfg.Warmup.HasValue())

	cfg, err = load(t, "anomaly_engine/all")
	require.NoError(t, err)
	require.NoError(t, confmap.Validate(cfg))
	id := component.MustNewIDWithName("file_storage", "engine")
	w := warmup.DefaultConfig()
	w.Lookback, w.Timeout = 7*24*time.Hour, 5*time.Minute
	w.Prometheus.Client.Endpoint, w.Prometheus.Client.Timeout = "https://mimir.example/prometheus", 10*time.Second
	w.Prometheus.Match, w.Prometheus.ReplicaLabels, w.Prometheus.RequestsPerSecond = []string{`{job="shop/cart"}`}, []string{"replica"}, 2.5
	w.Prometheus.Namespace, w.Prometheus.ExternalLabels, w.Prometheus.AddMetricSuffixes = "shop", map[string]string{"cluster": "a"}, false
	w.Prometheus.TranslationStrategy = "NoTranslation"
	assert.Equal(t, &Config{
		Engine: engine.Config{
			FalseAlarms: engine.FalseAlarms{Count: 2, Per: 12 * time.Hour, Replicas: 3, MaxAlpha: 1e-4}, MaxSeries: 500, SeriesTTL: 2 * time.Hour,
			TimeZone: "Europe/Berlin", AcceptAfter: 2 * time.Hour, Logs: engine.Logs{Mask: []string{`cust-\w+`}},
			Policies: []policy.Rule{{
				Where: `metric.name == "http.server.request.duration"`, Direction: policy.DirectionHigh,
				MinChange: 0.05, MinRelativeChange: 0.2, MinDuration: 2 * time.Minute,
			}, {
				Where: `resource.attributes["service.name"] == "report"`, DryRun: true,
				Maintenance: []policy.Maintenance{{Cron: "0 2 * * 0", Duration: 3 * time.Hour, Zone: "Europe/Berlin"}},
			}},
		},
		Storage: &id, SnapshotInterval: 10 * time.Second, MaxMemory: 256 << 20, Warmup: configoptional.Some(w),
	}, cfg)

	cfg, err = load(t, "anomaly_engine/warmup")
	require.NoError(t, err)
	require.NoError(t, confmap.Validate(cfg))
	w = warmup.DefaultConfig()
	w.Prometheus.Client.Endpoint = "http://127.0.0.1:9090"
	assert.Equal(t, w, *cfg.Warmup.Get(), "an endpoint is enough, as the README has it")
}

func TestBadConfigNamesEachKey(t *testing.T) {
	cfg, err := load(t, "anomaly_engine/bad")
	require.NoError(t, err)
	err = confmap.Validate(cfg)
	for _, want := range []string{
		"false_alarms::count is 0", "false_alarms::per is 1s", "false_alarms::max_alpha is 1", "max_series is 1", "series_ttl is 1s", "accept_after is 1s", "snapshot_interval is 1ms", "max_memory is 1024 bytes",
		"prometheus: endpoint must be", "warmup: lookback is 1s", "false_alarms::replicas is 0", `time_zone is "Europe/Atlantis"`,
		`policies::0: direction is "sideways"`, "policies::1: min_change is -1", "value_double does not identify a series",
		`policies::2: maintenance::0: cron "whenever"`,
	} {
		require.ErrorContains(t, err, want)
		assert.Equal(t, 1, strings.Count(err.Error(), want), "%s is said once", want)
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
