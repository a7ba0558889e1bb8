// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package prometheusremotewriteexporter

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

	"github.com/auspex-otel/auspex/exporter/prometheusremotewriteexporter/internal/metadata"
	"github.com/auspex-otel/auspex/internal/deadletter"
)

func TestConfig(t *testing.T) {
	for name, check := range map[string]func(*assert.Assertions, *Config){
		"": func(is *assert.Assertions, c *Config) {
			is.Equal(5*time.Second, c.Client.Timeout)
			is.False(c.Queue.HasValue(), "without a queue an acknowledgement means written")
			is.Zero(c.Retry.MaxElapsedTime)
			is.True(c.TargetInfo.Enabled)
			is.True(c.AddMetricSuffixes)
			is.Equal(messageV1, c.ProtobufMessage)
			is.Equal(3_000_000, c.MaxBatchSizeBytes)
		},
		"labels": func(is *assert.Assertions, c *Config) {
			is.Equal(map[string]string{"label_name1": "label_value1", "label_name2": "label_value2"}, c.ExternalLabels)
		},
		"direct": func(is *assert.Assertions, c *Config) {
			is.False(c.Queue.HasValue())
			is.True(c.ResourceToTelemetry.Enabled)
			is.True(c.ResourceToTelemetry.ExcludeServiceAttributes)
		},
		"all": func(is *assert.Assertions, c *Config) {
			is.Equal(7*time.Second, c.Client.Timeout)
			id, _ := c.Client.Headers.Get("X-Scope-OrgID")
			is.Equal("234", string(id))
			is.Equal("/var/lib/mycert.pem", c.Client.TLS.CAFile)
			is.True(c.Client.Auth.HasValue())
			is.Equal(10*time.Minute, c.Retry.MaxElapsedTime)
			is.Equal("test-space", c.Namespace)
			is.Equal(deadletter.Config{Directory: "/var/lib/auspex/dead_letter", MaxBytes: 1_000_000}, c.DeadLetter)
			is.True(c.Queue.Get().WaitForResult)
			is.Equal(noTranslation, c.TranslationStrategy)
			is.True(c.ConvertExplicitHistogramsToNHCB && c.KeepClassicHistograms && c.SendMetadata && c.DisableScopeInfo)
			is.Equal([]string{"x-tenant"}, c.IncludeMetadataKeys)
		},
		"disk": func(is *assert.Assertions, c *Config) {
			is.Equal("file_storage/queue", c.Queue.Get().StorageID.String())
			is.Equal(1, c.Queue.Get().NumConsumers, "one batch in flight keeps the order")
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
		"no_endpoint":        "endpoint: is empty, it must be a URL",
		"no_scheme":          `endpoint: "localhost:8888" is not a URL`,
		"secret":             `endpoint: "ftp://example/" is not a URL`,
		"no_timeout":         "timeout: is 0s, it must be above 0",
		"gzip":               `compression: is "gzip", remote write supports snappy only`,
		"header":             "headers: content-type is set by the protocol: remove it",
		"forwarded_header":   "include_metadata_keys: user-agent is set by the protocol",
		"message":            `protobuf_message: "io.prometheus.write.v4.Request" is unknown, use prometheus.WriteRequest (1.0)`,
		"strategy":           `translation_strategy: "invalid_strategy" is unknown, use UnderscoreEscapingWithSuffixes`,
		"strategy_of_v2":     "translation_strategy: NoTranslation needs protobuf_message: io.prometheus.write.v2.Request",
		"label":              `external_labels: "key": "" has an empty name or value`,
		"no_retry":           "retry_on_failure::enabled: is false, so sending_queue would delete",
		"forgotten_metadata": "include_metadata_keys: a sending_queue with storage or batch loses",
		"queue":              "remote_write_queue: is not supported because it acknowledges data in memory: use sending_queue with storage, or set enabled: false",
		"wal":                "wal: is not supported: use sending_queue with storage",
		"parallel":           "max_batch_request_parallelism: is 10, but requests are sent in order",
		"batch":              "max_batch_size_bytes: is -1, it must not be negative",
		"letters":            "dead_letter: max_bytes: is 0, it must be at least 16384",
		"unknown":            "export_created_metric",
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

func TestDeprecatedTypeIsAccepted(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	cfg.Client.Endpoint = "http://127.0.0.1:1/"
	set := exportertest.NewNopSettings(metadata.DeprecatedType)
	e, err := NewFactory().CreateMetrics(t.Context(), set, cfg)
	require.NoError(t, err)
	require.NoError(t, e.Shutdown(t.Context()), "Shutdown without Start")
}

func TestQueueThatMayLoseIsSaid(t *testing.T) {
	core, log := observer.New(zap.WarnLevel)
	set := exportertest.NewNopSettings(metadata.Type)
	set.Logger = zap.New(core)
	cfg := createDefaultConfig().(*Config)
	cfg.Client.Endpoint = "http://127.0.0.1:1/"
	cfg.Queue.GetOrInsertDefault()
	cfg.Retry.MaxElapsedTime = time.Minute
	e, err := NewFactory().CreateMetrics(t.Context(), set, cfg)
	require.NoError(t, err)
	require.NoError(t, e.Shutdown(t.Context()))
	assert.Equal(t, 1, log.FilterMessageSnippet("set sending_queue::storage or sending_queue::wait_for_result").Len())
	assert.Equal(t, 1, log.FilterMessageSnippet("max_elapsed_time: set it to 0").Len())
	assert.Equal(t, 1, log.FilterMessageSnippet("set dead_letter::directory").Len())
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
