// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package elasticsearchexporter

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"

	"github.com/auspex-otel/auspex/exporter/elasticsearchexporter/internal/document"
)

func load(t *testing.T, id string) (*Config, error) {
	t.Helper()
	cm, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	sub, err := cm.Sub("elasticsearch/" + id)
	require.NoError(t, err)
	cfg := NewFactory().CreateDefaultConfig().(*Config)
	return cfg, sub.Unmarshal(cfg)
}

func TestDocumentedConfigurationsOfContrib(t *testing.T) {
	for id, check := range map[string]func(*assert.Assertions, *Config){
		"endpoint": func(a *assert.Assertions, c *Config) {
			want := createDefaultConfig().(*Config)
			want.ClientConfig.Endpoint = "https://elastic.example.com:9200"
			a.Equal(want, c)
			a.False(c.QueueConfig.HasValue(), "without the key there is no queue that acknowledges")
			a.Zero(c.RetryConfig.MaxElapsedTime)
			a.Equal(90*time.Second, c.ClientConfig.Timeout)
		},
		"auth": func(a *assert.Assertions, c *Config) {
			a.Equal("basicauth", c.ClientConfig.Auth.Get().AuthenticatorID.String())
		},
		"cloud": func(a *assert.Assertions, c *Config) {
			urls, err := c.addresses()
			a.NoError(err)
			a.Equal("https://abc123.bar.cloud.es.io:443", urls[0].String())
		},
		"many_keys": func(a *assert.Assertions, c *Config) {
			a.Len(c.Endpoints, 2)
			a.Equal([]string{"my-logs", "my-metrics", "my-traces", "my-pipeline"}, []string{c.LogsIndex, c.MetricsIndex, c.TracesIndex, c.Pipeline})
			a.Equal(5, c.Retry.retries())
			a.True(*c.IncludeSourceOnError)
			a.NotContains(c.Password.String()+c.APIKey.String(), "search")
		},
		"dynamic": func(a *assert.Assertions, c *Config) {
			a.True(c.LogsDynamicID.Enabled && c.TracesDynamicID.Enabled && c.LogsDynamicPipeline.Enabled)
			a.Equal(3, c.Retry.retries(), "max_requests counts the first one")
		},
		"queue": func(a *assert.Assertions, c *Config) {
			a.Equal(100, c.QueueConfig.Get().NumConsumers)
			a.EqualValues(5000, c.QueueConfig.Get().Batch.Get().MaxSize)
		},
		"queue_off": func(a *assert.Assertions, c *Config) { a.False(c.QueueConfig.HasValue()) },
		"ecs":       func(a *assert.Assertions, c *Config) { a.Equal(document.ECS, c.Mapping.mode()) },
		"ecs_only":  func(a *assert.Assertions, c *Config) { a.Equal(document.ECS, c.Mapping.mode()) },
		"own": func(a *assert.Assertions, c *Config) {
			a.Equal("file_storage", c.QueueConfig.Get().StorageID.String())
			a.Equal("/var/lib/auspex/dead_letter", c.DeadLetter.Directory)
			a.False(c.Templates.Enabled)
		},
	} {
		t.Run(id, func(t *testing.T) {
			cfg, err := load(t, id)
			require.NoError(t, err)
			require.NoError(t, confmap.Validate(cfg))
			check(assert.New(t), cfg)
		})
	}
}

func TestUnsupportedKeysAreNamedWithTheReason(t *testing.T) {
	_, err := load(t, "refused")
	for key, why := range refused {
		require.ErrorContains(t, err, key+" is not supported: "+why)
	}
	_, err = load(t, "unknown")
	require.ErrorContains(t, err, "max_bulk_byte")
}

func TestBadConfigNamesEachKey(t *testing.T) {
	cfg, err := load(t, "bad")
	require.NoError(t, err)
	err = confmap.Validate(cfg)
	for _, want := range []string{
		`endpoint "elastic.example.com:9200": it must be as in https://elasticsearch:9200`, `compression is "zstd"`, "incidents_index is empty", "max_bulk_bytes is 1",
		`mapping::mode is "bodymap"`, `mapping::allowed_modes contains "raw"`, "retry::max_retries must not be negative",
		"retry::initial_interval is 0s", "retry::retry_on_document_status contains 400", "retry::retry_on_document_status contains 409",
		"dead_letter: max_bytes: is 0",
	} {
		assert.ErrorContains(t, err, want)
	}
}

func TestExactlyOneAddress(t *testing.T) {
	t.Setenv(addressVariable, "")
	for id, want := range map[string]string{
		"two_addresses": "exactly one of endpoint, endpoints, and cloudid",
		"no_address":    "exactly one of endpoint, endpoints, and cloudid",
		"bad_cloud":     "cloudid is not a valid deployment id",
	} {
		cfg, err := load(t, id)
		require.NoError(t, err)
		require.ErrorContains(t, confmap.Validate(cfg), want)
	}
	t.Setenv(addressVariable, "http://one:9200, http://two:9200")
	cfg, err := load(t, "no_address")
	require.NoError(t, err)
	urls, err := cfg.addresses()
	require.NoError(t, err)
	assert.Equal(t, "two:9200", urls[1].Host)
}
