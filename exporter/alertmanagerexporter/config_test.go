// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package alertmanagerexporter

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/auspex-otel/auspex/exporter/alertmanagerexporter/internal/metadata"
)

func TestConfig(t *testing.T) {
	for name, check := range map[string]func(*assert.Assertions, *Config){
		"": func(is *assert.Assertions, c *Config) {
			is.Equal(10*time.Second, c.Client.Timeout)
			is.Equal("warning", c.DefaultSeverity)
			is.False(c.Queue.HasValue(), "without a queue, an acknowledgement means that an Alertmanager has the alert")
			is.Zero(c.Retry.MaxElapsedTime)
			is.Equal(time.Minute, c.ResendInterval)
			is.Equal([]target{{"http://127.0.0.1:9093/api/v2/alerts", "127.0.0.1:9093"}}, must(c.targets()))
		},
		"contrib": func(is *assert.Assertions, c *Config) {
			is.Equal("debug", c.DefaultSeverity)
			is.Equal("foo", c.SeverityAttribute)
			is.Equal("/var/lib/mycert.pem", c.Client.TLS.CertFile)
			is.Equal(2, c.Queue.Get().NumConsumers)
			is.Equal(int64(10), c.Queue.Get().QueueSize)
			is.Equal(10*time.Minute, c.Retry.MaxElapsedTime)
		},
		"all": func(is *assert.Assertions, c *Config) {
			is.Equal([]target{{"http://one:9093/prefix/api/v2/alerts", "one:9093"}, {"https://two/api/v2/alerts", "two"}}, must(c.targets()))
			is.Equal(map[string]string{"team": "shop"}, c.ExternalLabels)
			is.Equal("file_storage/queue", c.Storage.String())
			is.Equal(1, c.Queue.Get().NumConsumers, "one batch in flight keeps the order")
			is.Equal(72*time.Hour, c.StaleAfter)
			is.Equal("/var/lib/auspex/dead_letter", c.DeadLetter.Directory)
		},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, err := load(t, "config.yaml", name)
			require.NoError(t, err)
			require.NoError(t, confmap.Validate(cfg))
			check(assert.New(t), cfg)
		})
	}
}

func TestBadConfigNamesTheKeyAndWhatToDo(t *testing.T) {
	for name, want := range map[string]string{
		"no_endpoint": "exactly one of endpoint and endpoints must be set, as in endpoint: http://alertmanager.example:9093",
		"both":        "exactly one of endpoint and endpoints must be set",
		"no_scheme":   `endpoint: "localhost:9093" is not a URL such as http://host.example:9093`,
		"secret":      `endpoint: "ftp://example/" is not a URL`,
		"api_path":    `endpoint: "http://127.0.0.1:9093/api/v2/alerts" is the address of the API: set the base address`,
		"version":     `api_version: is "v1", only v2 is supported`,
		"generator":   `generator_url: "opentelemetry-collector" is not a URL`,
		"severity":    "severity: is empty",
		"label":       `external_labels: "bad-name": "x": a name consists of letters, digits, and _`,
		"empty_label": `external_labels: "team": "": a name consists of`,
		"own_label":   "external_labels: service is a label of the exporter itself",
		"no_timeout":  "timeout: is 0s, it must be above 0",
		"resend":      "resend_interval: is 10ms, it must be at least 1s",
		"stale":       "stale_after: is 30s, it must be at least resend_interval, which is 1m0s",
		"no_retry":    "retry_on_failure::enabled: is false, so sending_queue would delete",
		"letters":     "dead_letter: max_bytes: is 0, it must be at least 16384",
		"unknown":     "event_labels",
	} {
		t.Run(name, func(t *testing.T) {
			cfg, err := load(t, "bad.yaml", name)
			if err == nil {
				err = confmap.Validate(cfg)
			}
			require.ErrorContains(t, err, want)
			assert.NotContains(t, err.Error(), "hunter2")
		})
	}
}

func TestOtherSignalsAreRejectedWithTheReason(t *testing.T) {
	set := exportertest.NewNopSettings(metadata.Type)
	set.ID = component.MustNewIDWithName("alertmanager", "a")
	_, err := NewFactory().CreateTraces(t.Context(), set, createDefaultConfig())
	require.EqualError(t, err, "exporters::alertmanager/a: a pipeline of traces cannot use this exporter, because alerts are made from incidents, "+
		"and incidents are log records: use it in a pipeline of logs whose receiver is findings")
	_, err = NewFactory().CreateMetrics(t.Context(), set, createDefaultConfig())
	require.ErrorContains(t, err, "a pipeline of metrics cannot use this exporter")
}

func TestSettingsThatCanLoseAlertsAreLogged(t *testing.T) {
	core, log := observer.New(zap.WarnLevel)
	set := exportertest.NewNopSettings(metadata.Type)
	set.Logger = zap.New(core)
	cfg := createDefaultConfig().(*Config)
	cfg.Client.Endpoint = "http://127.0.0.1:1"
	cfg.Queue.GetOrInsertDefault()
	e, err := NewFactory().CreateLogs(t.Context(), set, cfg)
	require.NoError(t, err)
	require.NoError(t, e.Shutdown(t.Context()), "a shutdown without a start")
	assert.Equal(t, 1, log.FilterMessageSnippet("storage is not set").Len())
	assert.Equal(t, 1, log.FilterMessageSnippet("set sending_queue::storage or sending_queue::wait_for_result").Len())
	assert.Equal(t, 1, log.FilterMessageSnippet("set dead_letter::directory").Len())
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func load(t *testing.T, file, name string) (*Config, error) {
	t.Helper()
	all, err := confmaptest.LoadConf(filepath.Join("testdata", file))
	require.NoError(t, err)
	sub, err := all.Sub(component.NewIDWithName(metadata.Type, name).String())
	require.NoError(t, err)
	cfg := NewFactory().CreateDefaultConfig().(*Config)
	return cfg, sub.Unmarshal(cfg)
}
