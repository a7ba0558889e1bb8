// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package elasticsearchexporter

import (
	"compress/gzip"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configcompression"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/auspex-otel/auspex/exporter/elasticsearchexporter/internal/document"
	"github.com/auspex-otel/auspex/internal/deadletter"
)

// Config is the configuration of the Elasticsearch exporter. Keys and meanings are those of
// contrib's exporter of the same type; additional keys are at the end.
type Config struct {
	// Endpoints lists the addresses of the nodes, which are used in turn. One of this, endpoint,
	// and cloudid is required; without them the environment variable ELASTICSEARCH_URL applies.
	Endpoints []string `mapstructure:"endpoints"`
	// CloudID is the id of a deployment in Elastic Cloud. It contains the address.
	CloudID string `mapstructure:"cloudid"`
	// ClientConfig configures the HTTP client: endpoint, tls, auth, headers, timeout (of one
	// request), compression, and so on.
	ClientConfig confighttp.ClientConfig `mapstructure:",squash"`
	// User and Password authenticate every request, unless APIKey is set.
	User     string              `mapstructure:"user"`
	Password configopaque.String `mapstructure:"password"`
	// APIKey is an encoded API key.
	APIKey configopaque.String `mapstructure:"api_key"`

	// LogsIndex, MetricsIndex, and TracesIndex name the index or data stream for all data of a
	// signal. If empty, the attributes determine the data stream.
	LogsIndex    string `mapstructure:"logs_index"`
	MetricsIndex string `mapstructure:"metrics_index"`
	TracesIndex  string `mapstructure:"traces_index"`
	// LogsDynamicIndex, MetricsDynamicIndex, and TracesDynamicIndex are accepted and have no
	// effect, as in contrib.
	LogsDynamicIndex    Switch `mapstructure:"logs_dynamic_index"`
	MetricsDynamicIndex Switch `mapstructure:"metrics_dynamic_index"`
	TracesDynamicIndex  Switch `mapstructure:"traces_dynamic_index"`
	// LogsDynamicID and TracesDynamicID take the id of a document from the attribute
	// elasticsearch.document_id.
	LogsDynamicID   Switch `mapstructure:"logs_dynamic_id"`
	TracesDynamicID Switch `mapstructure:"traces_dynamic_id"`
	// LogsDynamicPipeline takes the ingest pipeline from the attribute elasticsearch.ingest_pipeline.
	LogsDynamicPipeline Switch `mapstructure:"logs_dynamic_pipeline"`
	// Pipeline is the ingest pipeline of Elasticsearch that processes the documents.
	Pipeline string `mapstructure:"pipeline"`
	// Mapping configures the format of the documents.
	Mapping MappingConfig `mapstructure:"mapping"`
	// Retry configures how documents are retried within one call.
	Retry RetryConfig `mapstructure:"retry"`
	// IncludeSourceOnError sets whether Elasticsearch 8.18 or newer includes the document in the
	// reason of a rejection.
	IncludeSourceOnError *bool `mapstructure:"include_source_on_error"`
	// SuppressConflictErrors is accepted and has no effect: an existing document is never an
	// error.
	SuppressConflictErrors bool `mapstructure:"suppress_conflict_errors"`
	// QueueConfig configures the sending queue. Without it every call is sent directly.
	QueueConfig configoptional.Optional[exporterhelper.QueueBatchConfig] `mapstructure:"sending_queue"`

	// RetryConfig configures how returned batches are retried.
	RetryConfig configretry.BackOffConfig `mapstructure:"retry_on_failure"`
	// MaxBulkBytes bounds the body of one _bulk request, in bytes before compression.
	MaxBulkBytes int `mapstructure:"max_bulk_bytes"`
	// IncidentsIndex is the plain index that contains one document for every incident.
	IncidentsIndex string `mapstructure:"incidents_index"`
	// Templates sets whether index templates are installed where none exists.
	Templates Switch `mapstructure:"templates"`
	// DeadLetter keeps documents that Elasticsearch rejects permanently. Without it,
	// they are dropped and counted, and the sender gets a permanent error.
	DeadLetter deadletter.Config `mapstructure:"dead_letter"`
}

// Switch is an on/off setting.
type Switch struct {
	// Enabled turns it on.
	Enabled bool `mapstructure:"enabled"`
}

// MappingConfig configures the format of the documents.
type MappingConfig struct {
	// Mode is otel or ecs. The default is otel, or the first of AllowedModes if it does not
	// contain otel.
	Mode string `mapstructure:"mode"`
	// AllowedModes lists the modes that the scope attribute elastic.mapping.mode may select. The
	// default is otel and ecs.
	AllowedModes []string `mapstructure:"allowed_modes"`
}

// RetryConfig configures how documents are retried within one call.
type RetryConfig struct {
	// Enabled turns retries on.
	Enabled bool `mapstructure:"enabled"`
	// MaxRetries bounds the number of retries.
	MaxRetries int `mapstructure:"max_retries"`
	// MaxRequests bounds the number of tries, including the first. It is an older name in contrib
	// and takes precedence if set.
	MaxRequests int `mapstructure:"max_requests"`
	// InitialInterval is the first pause. Each further pause is twice as long, up to MaxInterval.
	InitialInterval time.Duration `mapstructure:"initial_interval"`
	MaxInterval     time.Duration `mapstructure:"max_interval"`
	// RetryOnStatus and RetryOnDocumentStatus may name 429 and 5xx, which are always retried.
	RetryOnStatus         []int `mapstructure:"retry_on_status"`
	RetryOnDocumentStatus []int `mapstructure:"retry_on_document_status"`
}

// Unmarshal returns an error with the reason for every key of contrib's exporter that is not
// supported.
func (c *Config) Unmarshal(conf *confmap.Conf) error {
	if err := refuse(conf); err != nil {
		return err
	}
	return conf.Unmarshal(c)
}

// Validate returns an error for each key that is out of range.
func (c *Config) Validate() error {
	_, errAddresses := c.addresses()
	errs := []error{errAddresses, c.Retry.validate(), c.Mapping.validate()}
	switch c.ClientConfig.Compression {
	case "", "none", configcompression.TypeGzip:
	default:
		errs = append(errs, fmt.Errorf("compression is %q, use gzip or none", c.ClientConfig.Compression))
	}
	if c.IncidentsIndex == "" {
		errs = append(errs, errors.New("incidents_index is empty, set the name of an index"))
	}
	if c.MaxBulkBytes < 1<<10 {
		errs = append(errs, fmt.Errorf("max_bulk_bytes is %d, it must be at least 1024", c.MaxBulkBytes))
	}
	return errors.Join(errs...)
}

func (r *RetryConfig) validate() error {
	var errs []error
	if r.MaxRetries < 0 || r.MaxRequests < 0 {
		errs = append(errs, errors.New("retry::max_retries must not be negative"))
	}
	if r.InitialInterval <= 0 || r.MaxInterval < r.InitialInterval {
		errs = append(errs, fmt.Errorf("retry::initial_interval is %v and retry::max_interval %v: the first must be above 0 and the second not below it", r.InitialInterval, r.MaxInterval))
	}
	for key, list := range map[string][]int{"retry_on_status": r.RetryOnStatus, "retry_on_document_status": r.RetryOnDocumentStatus} {
		for _, status := range list {
			if !transient(status) {
				errs = append(errs, fmt.Errorf("retry::%s contains %d: only 429 and 5xx are retryable, and those are always retried: remove it", key, status))
			}
		}
	}
	return errors.Join(errs...)
}

// transient reports whether a status is retryable.
func transient(status int) bool {
	return status == http.StatusTooManyRequests || status >= http.StatusInternalServerError
}

// retries returns the maximum number of retries of a document within one call.
func (r *RetryConfig) retries() int {
	switch {
	case !r.Enabled:
		return 0
	case r.MaxRequests > 0:
		return r.MaxRequests - 1
	}
	return r.MaxRetries
}

func (m *MappingConfig) validate() error {
	var errs []error
	if mode := m.mode(); !mode.Valid() {
		errs = append(errs, fmt.Errorf("mapping::mode is %q, use otel or ecs", mode))
	}
	for _, mode := range m.AllowedModes {
		if !document.Mode(mode).Valid() {
			errs = append(errs, fmt.Errorf("mapping::allowed_modes contains %q, use otel or ecs", mode))
		}
	}
	return errors.Join(errs...)
}

func (m *MappingConfig) mode() document.Mode {
	switch {
	case m.Mode != "":
		return document.Mode(m.Mode)
	case len(m.AllowedModes) == 0 || slices.Contains(m.AllowedModes, string(document.OTel)):
		return document.OTel
	}
	return document.Mode(m.AllowedModes[0])
}

func (m *MappingConfig) allowed() []document.Mode {
	if len(m.AllowedModes) == 0 {
		return []document.Mode{document.OTel, document.ECS}
	}
	modes := make([]document.Mode, len(m.AllowedModes))
	for i, mode := range m.AllowedModes {
		modes[i] = document.Mode(mode)
	}
	return modes
}

func createDefaultConfig() component.Config {
	client := confighttp.NewDefaultClientConfig()
	client.Timeout = 90 * time.Second
	client.Compression = configcompression.TypeGzip
	client.CompressionParams.Level = gzip.BestSpeed
	retry := configretry.NewDefaultBackOffConfig()
	// With the default of five minutes the queue would delete its data.
	retry.MaxElapsedTime = 0
	return &Config{
		ClientConfig:   client,
		Retry:          RetryConfig{Enabled: true, MaxRetries: 2, InitialInterval: 100 * time.Millisecond, MaxInterval: time.Minute},
		QueueConfig:    configoptional.Default(exporterhelper.NewDefaultQueueConfig()),
		RetryConfig:    retry,
		MaxBulkBytes:   5 << 20,
		IncidentsIndex: "auspex-incidents",
		Templates:      Switch{Enabled: true},
		DeadLetter:     deadletter.NewDefaultConfig(),
	}
}
