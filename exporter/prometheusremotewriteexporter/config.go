// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package prometheusremotewriteexporter

import (
	"errors"
	"fmt"
	"net/textproto"
	"net/url"
	"slices"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/resourcetotelemetry"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/auspex-otel/auspex/internal/deadletter"
	"github.com/auspex-otel/auspex/internal/mask"
)

// The values of protobuf_message.
const (
	messageV1 = "prometheus.WriteRequest"
	messageV2 = "io.prometheus.write.v2.Request"
)

// The values of translation_strategy.
const (
	escapeWithSuffixes    = "UnderscoreEscapingWithSuffixes"
	escapeWithoutSuffixes = "UnderscoreEscapingWithoutSuffixes"
	utf8WithSuffixes      = "NoUTF8EscapingWithSuffixes"
	noTranslation         = "NoTranslation"
)

const (
	defaultTimeout    = 5 * time.Second
	defaultBatchBytes = 3_000_000
)

// ownHeaders are defined by the protocol. A configuration cannot set them.
var ownHeaders = []string{"Content-Encoding", "Content-Type", "User-Agent", "X-Prometheus-Remote-Write-Version"}

// Config is the configuration of the exporter. It has the keys of contrib's exporter, except the
// queue.
type Config struct {
	// Client configures the HTTP client: endpoint, tls, auth, headers, and so on. timeout bounds
	// one request, from its headers to the end of the response.
	Client confighttp.ClientConfig `mapstructure:",squash"`

	// Retry configures how retryable errors are retried.
	Retry configretry.BackOffConfig `mapstructure:"retry_on_failure"`

	// Queue holds batches until they are written. Without it every batch is written directly.
	Queue configoptional.Optional[exporterhelper.QueueBatchConfig] `mapstructure:"sending_queue"`

	// DeadLetter keeps data that the server rejects permanently. Without it the exporter returns
	// a permanent error.
	DeadLetter deadletter.Config `mapstructure:"dead_letter"`

	// Namespace is a prefix of all metric names.
	Namespace string `mapstructure:"namespace"`

	// ExternalLabels are added to every series without a label of that name.
	ExternalLabels map[string]string `mapstructure:"external_labels"`

	// ResourceToTelemetry converts resource attributes to labels. Without it, two resources of
	// one service instance share their series.
	ResourceToTelemetry resourcetotelemetry.Settings `mapstructure:"resource_to_telemetry_conversion"`

	// TargetInfo configures the series target_info, one for each resource.
	TargetInfo TargetInfo `mapstructure:"target_info"`

	// DisableScopeInfo omits the labels otel_scope_….
	DisableScopeInfo bool `mapstructure:"disable_scope_info"`

	// AddMetricSuffixes appends unit and type to metric names. TranslationStrategy takes
	// precedence.
	AddMetricSuffixes bool `mapstructure:"add_metric_suffixes"`

	// TranslationStrategy sets how names are converted to Prometheus names.
	TranslationStrategy string `mapstructure:"translation_strategy"`

	// SendMetadata sends type, unit, and help with 1.0. 2.0 always sends them.
	SendMetadata bool `mapstructure:"send_metadata"`

	// ProtobufMessage is the version: prometheus.WriteRequest is 1.0, io.prometheus.write.v2.Request is 2.0.
	ProtobufMessage string `mapstructure:"protobuf_message"`

	// MaxBatchSizeBytes bounds a request, in bytes before compression. A single larger series is
	// sent alone.
	MaxBatchSizeBytes int `mapstructure:"max_batch_size_bytes"`

	// IncludeMetadataKeys lists the keys of client metadata that become headers of the request.
	IncludeMetadataKeys []string `mapstructure:"include_metadata_keys"`

	// ConvertExplicitHistogramsToNHCB converts explicit histograms to native histograms with
	// custom buckets.
	ConvertExplicitHistogramsToNHCB bool `mapstructure:"convert_explicit_histograms_to_nhcb"`

	// KeepClassicHistograms also writes the classic series of converted histograms.
	KeepClassicHistograms bool `mapstructure:"keep_classic_histograms"`

	// RemoteWriteQueue is contrib's queue. Only enabled: false is accepted; use sending_queue
	// instead.
	RemoteWriteQueue *RemoteWriteQueue `mapstructure:"remote_write_queue"`

	// MaxBatchRequestParallelism accepts only 1, because requests are sent in order.
	MaxBatchRequestParallelism *int `mapstructure:"max_batch_request_parallelism"`

	// WAL is contrib's write-ahead log. It is not supported; use sending_queue with storage
	// instead.
	WAL map[string]any `mapstructure:"wal"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// TargetInfo configures the series target_info.
type TargetInfo struct {
	// Enabled turns it on.
	Enabled bool `mapstructure:"enabled"`
}

// RemoteWriteQueue holds the keys of contrib's queue.
type RemoteWriteQueue struct {
	// Enabled must be false. The default is true.
	Enabled bool `mapstructure:"enabled"`
	// QueueSize has no effect without the queue.
	QueueSize int `mapstructure:"queue_size"`
	// NumConsumers has no effect without the queue.
	NumConsumers int `mapstructure:"num_consumers"`
}

// Unmarshal applies contrib's default before it reads the section.
func (q *RemoteWriteQueue) Unmarshal(conf *confmap.Conf) error {
	q.Enabled = true
	return conf.Unmarshal(q)
}

var (
	_ component.Config    = (*Config)(nil)
	_ confmap.Validator   = (*Config)(nil)
	_ confmap.Unmarshaler = (*RemoteWriteQueue)(nil)
)

func createDefaultConfig() component.Config {
	client := confighttp.NewDefaultClientConfig()
	client.Timeout = defaultTimeout
	client.WriteBufferSize = 512 * 1024
	retry := configretry.NewDefaultBackOffConfig()
	retry.InitialInterval = 50 * time.Millisecond
	retry.MaxElapsedTime = 0 // after the limit, data is deleted
	queue := exporterhelper.NewDefaultQueueConfig()
	queue.NumConsumers = 1 // one batch in flight keeps the order
	return &Config{
		Client:            client,
		Retry:             retry,
		Queue:             configoptional.Default(queue),
		DeadLetter:        deadletter.NewDefaultConfig(),
		TargetInfo:        TargetInfo{Enabled: true},
		AddMetricSuffixes: true,
		ProtobufMessage:   messageV1,
		MaxBatchSizeBytes: defaultBatchBytes,
	}
}

// Validate returns an error with a remedy for each invalid key.
func (c *Config) Validate() error {
	return errors.Join(c.validateEndpoint(), c.validateClient(), c.validateMessage(), c.validateQueue(), c.validateForeign(), c.validateLimits())
}

func (c *Config) validateEndpoint() error {
	if c.Client.Endpoint == "" {
		return errors.New("endpoint: is empty, it must be a URL such as http://127.0.0.1:9090/api/v1/write")
	}
	u, err := url.Parse(c.Client.Endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("endpoint: %q is not a URL such as http://127.0.0.1:9090/api/v1/write", mask.Addresses(c.Client.Endpoint))
	}
	return nil
}

func (c *Config) validateClient() error {
	var errs []error
	if c.Client.Timeout <= 0 {
		errs = append(errs, fmt.Errorf("timeout: is %v, it must be above 0: a stalled server would block the exporter", c.Client.Timeout))
	}
	if kind := c.Client.Compression; kind != "" && kind != "snappy" {
		errs = append(errs, fmt.Errorf("compression: is %q, remote write supports snappy only: remove the key", kind))
	}
	for name := range c.Client.Headers.Iter {
		if isOwnHeader(name) {
			errs = append(errs, fmt.Errorf("headers: %s is set by the protocol: remove it", name))
		}
	}
	for _, name := range c.IncludeMetadataKeys {
		if isOwnHeader(name) {
			errs = append(errs, fmt.Errorf("include_metadata_keys: %s is set by the protocol: remove it", name))
		}
	}
	return errors.Join(errs...)
}

func (c *Config) validateMessage() error {
	var errs []error
	if c.ProtobufMessage != messageV1 && c.ProtobufMessage != messageV2 {
		errs = append(errs, fmt.Errorf("protobuf_message: %q is unknown, use %s (1.0) or %s (2.0)", c.ProtobufMessage, messageV1, messageV2))
	}
	switch c.TranslationStrategy {
	case "", escapeWithSuffixes, escapeWithoutSuffixes:
	case utf8WithSuffixes, noTranslation:
		if c.ProtobufMessage == messageV1 {
			errs = append(errs, fmt.Errorf("translation_strategy: %s needs protobuf_message: %s", c.TranslationStrategy, messageV2))
		}
	default:
		errs = append(errs, fmt.Errorf("translation_strategy: %q is unknown, use %s, %s, %s or %s", c.TranslationStrategy,
			escapeWithSuffixes, escapeWithoutSuffixes, utf8WithSuffixes, noTranslation))
	}
	for name, value := range c.ExternalLabels {
		if name == "" || value == "" {
			errs = append(errs, fmt.Errorf("external_labels: %q: %q has an empty name or value", name, value))
		}
	}
	return errors.Join(errs...)
}

func (c *Config) validateQueue() error {
	if !c.Queue.HasValue() {
		return nil
	}
	var errs []error
	q := c.Queue.Get()
	if !q.WaitForResult && !c.Retry.Enabled {
		errs = append(errs, errors.New("retry_on_failure::enabled: is false, so sending_queue would delete data after the first failure: set it to true"))
	}
	if len(c.IncludeMetadataKeys) > 0 && (q.StorageID != nil || q.Batch.HasValue()) {
		errs = append(errs, errors.New("include_metadata_keys: a sending_queue with storage or batch loses client metadata: remove one of them"))
	}
	return errors.Join(errs...)
}

// validateForeign returns errors for keys of contrib's exporter that are not supported.
func (c *Config) validateForeign() error {
	var errs []error
	if c.RemoteWriteQueue != nil && c.RemoteWriteQueue.Enabled {
		errs = append(errs, errors.New("remote_write_queue: is not supported because it acknowledges data in memory: "+
			"use sending_queue with storage, or set enabled: false for direct writes"))
	}
	if c.WAL != nil {
		errs = append(errs, errors.New("wal: is not supported: use sending_queue with storage"))
	}
	if p := c.MaxBatchRequestParallelism; p != nil && *p != 1 {
		errs = append(errs, fmt.Errorf("max_batch_request_parallelism: is %d, but requests are sent in order: remove the key or set it to 1", *p))
	}
	return errors.Join(errs...)
}

func (c *Config) validateLimits() error {
	if c.MaxBatchSizeBytes < 0 {
		return fmt.Errorf("max_batch_size_bytes: is %d, it must not be negative", c.MaxBatchSizeBytes)
	}
	return nil
}

func isOwnHeader(name string) bool {
	return slices.Contains(ownHeaders, textproto.CanonicalMIMEHeaderKey(name))
}
