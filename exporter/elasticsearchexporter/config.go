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

// Config is the configuration of the Elasticsearch exporter. Names and meanings
// are those of contrib's exporter of the same type; what is added is at the end.
type Config struct {
	// Endpoints are the addresses of the nodes, used in turn. One of this, endpoint and cloudid is needed; without
	// any of them the environment variable ELASTICSEARCH_URL is read.
	Endpoints []string `mapstructure:"endpoints"`
	// CloudID is the id of a deployment in Elastic Cloud, which holds its address.
	CloudID string `mapstructure:"cloudid"`
	// ClientConfig holds endpoint, tls, auth, headers, timeout (of one request), compression and the other settings of an HTTP client.
	ClientConfig confighttp.ClientConfig `mapstructure:",squash"`
	// User and Password authenticate every request, unless APIKey is there.
	User     string              `mapstructure:"user"`
	Password configopaque.String `mapstructure:"password"`
	// APIKey is an API key in its encoded form.
	APIKey configopaque.String `mapstructure:"api_key"`

	// LogsIndex, MetricsIndex and TracesIndex send everything of a signal to one index or data stream. Empty: to a
	// data stream that follows from the attributes.
	LogsIndex    string `mapstructure:"logs_index"`
	MetricsIndex string `mapstructure:"metrics_index"`
	TracesIndex  string `mapstructure:"traces_index"`
	// LogsDynamicIndex, MetricsDynamicIndex and TracesDynamicIndex are accepted and have no effect, as in contrib.
	LogsDynamicIndex    Switch `mapstructure:"logs_dynamic_index"`
	MetricsDynamicIndex Switch `mapstructure:"metrics_dynamic_index"`
	TracesDynamicIndex  Switch `mapstructure:"traces_dynamic_index"`
	// LogsDynamicID and TracesDynamicID take a document's id from the attribute elasticsearch.document_id.
	LogsDynamicID   Switch `mapstructure:"logs_dynamic_id"`
	TracesDynamicID Switch `mapstructure:"traces_dynamic_id"`
	// LogsDynamicPipeline takes the ingest pipeline from the attribute elasticsearch.ingest_pipeline.
	LogsDynamicPipeline Switch `mapstructure:"logs_dynamic_pipeline"`
	// Pipeline is the ingest pipeline that telemetry passes in Elasticsearch.
	Pipeline string `mapstructure:"pipeline"`
	// Mapping is the shape of the documents.
	Mapping MappingConfig `mapstructure:"mapping"`
	// Retry is how often and when documents are sent again within one call, before they are returned.
	Retry RetryConfig `mapstructure:"retry"`
	// IncludeSourceOnError asks Elasticsearch 8.18 or newer to put the document into the reason of its refusal, or not to.
	IncludeSourceOnError *bool `mapstructure:"include_source_on_error"`
	// SuppressConflictErrors is accepted and has no effect: a document that is there already is never an error.
	SuppressConflictErrors bool `mapstructure:"suppress_conflict_errors"`
	// QueueConfig is the queue before the exporter. Without it every call is sent as it comes.
	QueueConfig configoptional.Optional[exporterhelper.QueueBatchConfig] `mapstructure:"sending_queue"`

	// RetryConfig is how what was returned is tried again.
	RetryConfig configretry.BackOffConfig `mapstructure:"retry_on_failure"`
	// MaxBulkBytes is how long the body of one request to _bulk may be, before compression.
	MaxBulkBytes int `mapstructure:"max_bulk_bytes"`
	// IncidentsIndex is the plain index that holds one document for every incident.
	IncidentsIndex string `mapstructure:"incidents_index"`
	// Templates tells whether index templates are installed for what has none.
	Templates Switch `mapstructure:"templates"`
	// DeadLetter keeps documents that Elasticsearch rejects permanently. Without it,
	// they are dropped and counted, and the sender gets a permanent error.
	DeadLetter deadletter.Config `mapstructure:"dead_letter"`
}

// Switch is something that is on or off.
type Switch struct {
	// Enabled switches it on.
	Enabled bool `mapstructure:"enabled"`
}

// MappingConfig is the shape of the documents.
type MappingConfig struct {
	// Mode is otel or ecs. Empty: otel, or the first of AllowedModes if otel is not among them.
	Mode string `mapstructure:"mode"`
	// AllowedModes are those that the scope attribute elastic.mapping.mode may choose. Empty: otel and ecs.
	AllowedModes []string `mapstructure:"allowed_modes"`
}

// RetryConfig is how documents are sent again within one call.
type RetryConfig struct {
	// Enabled tells whether that is done at all.
	Enabled bool `mapstructure:"enabled"`
	// MaxRetries is how often, after the first time.
	MaxRetries int `mapstructure:"max_retries"`
	// MaxRequests is how often with the first time: an older name in contrib. It counts if it is set.
	MaxRequests int `mapstructure:"max_requests"`
	// InitialInterval is the first pause; every further one is twice as long, up to MaxInterval.
	InitialInterval time.Duration `mapstructure:"initial_interval"`
	MaxInterval     time.Duration `mapstructure:"max_interval"`
	// RetryOnStatus and RetryOnDocumentStatus may name 429 and 5xx, which are always retried.
	RetryOnStatus         []int `mapstructure:"retry_on_status"`
	RetryOnDocumentStatus []int `mapstructure:"retry_on_document_status"`
}

// Unmarshal names every key of contrib's that is not supported, and says why.
func (c *Config) Unmarshal(conf *confmap.Conf) error {
	if err := refuse(conf); err != nil {
		return err
	}
	return conf.Unmarshal(c)
}

// Validate names every key that is out of its range.
func (c *Config) Validate() error {
	_, errAddresses := c.addresses()
	errs := []error{errAddresses, c.Retry.validate(), c.Mapping.validate()}
	switch c.ClientConfig.Compression {
	case "", "none", configcompression.TypeGzip:
	default:
		errs = append(errs, fmt.Errorf("compression is %q: Elasticsearch reads gzip or none", c.ClientConfig.Compression))
	}
	if c.IncidentsIndex == "" {
		errs = append(errs, errors.New("incidents_index is empty"))
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
				errs = append(errs, fmt.Errorf("retry::%s holds %d: only 429 and 5xx can become something else when tried again, and those are always retried", key, status))
			}
		}
	}
	return errors.Join(errs...)
}

// transient tells whether the same request may have another answer later.
func transient(status int) bool {
	return status == http.StatusTooManyRequests || status >= http.StatusInternalServerError
}

// retries is how often a document is sent again within one call.
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
		errs = append(errs, fmt.Errorf("mapping::mode is %q: documents are made in mode otel or ecs", mode))
	}
	for _, mode := range m.AllowedModes {
		if !document.Mode(mode).Valid() {
			errs = append(errs, fmt.Errorf("mapping::allowed_modes holds %q: documents are made in mode otel or ecs", mode))
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
	// After five minutes, which is the default elsewhere, the queue would delete what it holds.
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
