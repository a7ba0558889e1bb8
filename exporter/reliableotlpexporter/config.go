// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package reliableotlpexporter

import (
	"errors"
	"fmt"

	"github.com/open-telemetry/opentelemetry-collector-contrib/exporter/kafkaexporter"
	"github.com/open-telemetry/opentelemetry-collector-contrib/exporter/loadbalancingexporter"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/otlpexporter"
	"go.opentelemetry.io/collector/exporter/otlphttpexporter"

	"github.com/auspex-otel/auspex/internal/deadletter"
)

const (
	// defaultMaxRequestBytes is the default limit of a gRPC server.
	defaultMaxRequestBytes = 4 << 20
	minMaxRequestBytes     = 1 << 10
)

// Config is the configuration of the exporter.
type Config struct {
	// MaxRequestBytes bounds a request, in bytes before compression. It must not exceed the limit
	// of the next hop. Messages to Kafka are also bounded by kafka::producer::max_message_bytes.
	MaxRequestBytes int `mapstructure:"max_request_bytes"`

	// Retry configures how retryable errors are retried.
	Retry configretry.BackOffConfig `mapstructure:"retry_on_failure"`

	// Queue holds batches until they are sent.
	Queue configoptional.Optional[exporterhelper.QueueBatchConfig] `mapstructure:"sending_queue"`

	// DeadLetter keeps data that can never be sent. Without it, such data is dropped and counted.
	DeadLetter deadletter.Config `mapstructure:"dead_letter"`

	// OTLPGRPC sends OTLP over gRPC. It has the keys of core's exporter otlp_grpc, without queue
	// and retries.
	OTLPGRPC configoptional.Optional[otlpexporter.Config] `mapstructure:"otlp_grpc"`

	// OTLPHTTP sends OTLP over HTTP. It has the keys of core's exporter otlp_http, without queue
	// and retries.
	OTLPHTTP configoptional.Optional[otlphttpexporter.Config] `mapstructure:"otlp_http"`

	// LoadBalancing sends to one of several targets. It has the keys of contrib's exporter
	// load_balancing, without queue and retries. protocol::otlp::retry_on_failure, the retries of
	// one target, remains.
	LoadBalancing configoptional.Optional[loadbalancingexporter.Config] `mapstructure:"load_balancing"`

	// Kafka sends to a topic for each signal, with the service as the key of a message. It has the
	// keys of contrib's exporter kafka, without queue, retries, and partitioning.
	Kafka configoptional.Optional[kafkaexporter.Config] `mapstructure:"kafka"`

	// prevent unkeyed literal initialization
	_ struct{}
}

var (
	_ component.Config  = (*Config)(nil)
	_ confmap.Validator = (*Config)(nil)
)

func createDefaultConfig() component.Config {
	grpc := otlpexporter.NewFactory().CreateDefaultConfig().(*otlpexporter.Config)
	grpc.QueueConfig, grpc.RetryConfig = configoptional.None[exporterhelper.QueueBatchConfig](), configretry.BackOffConfig{}
	http := otlphttpexporter.NewFactory().CreateDefaultConfig().(*otlphttpexporter.Config)
	http.QueueConfig, http.RetryConfig = configoptional.None[exporterhelper.QueueBatchConfig](), configretry.BackOffConfig{}
	balancing := loadbalancingexporter.NewFactory().CreateDefaultConfig().(*loadbalancingexporter.Config)
	balancing.QueueSettings = configoptional.None[exporterhelper.QueueBatchConfig]()
	// The queue of one target would be in memory.
	balancing.Protocol.OTLP.QueueConfig = configoptional.None[exporterhelper.QueueBatchConfig]()
	retry := configretry.NewDefaultBackOffConfig()
	retry.MaxElapsedTime = 0 // the default deletes data after five minutes
	return &Config{
		MaxRequestBytes: defaultMaxRequestBytes,
		Retry:           retry,
		Queue:           configoptional.Default(exporterhelper.NewDefaultQueueConfig()),
		DeadLetter:      deadletter.NewDefaultConfig(),
		OTLPGRPC:        configoptional.Default(*grpc),
		OTLPHTTP:        configoptional.Default(*http),
		LoadBalancing:   configoptional.Default(*balancing),
		Kafka:           configoptional.Default(defaultKafkaConfig()),
	}
}

// Validate returns an error with a remedy for each invalid key.
func (c *Config) Validate() error {
	var errs []error
	if c.MaxRequestBytes < minMaxRequestBytes {
		errs = append(errs, fmt.Errorf("max_request_bytes: is %d, it must be at least %d", c.MaxRequestBytes, minMaxRequestBytes))
	}
	targets := 0
	check := func(name string, queue, retry bool) {
		targets++
		if queue {
			errs = append(errs, fmt.Errorf("%s::sending_queue: set sending_queue of this exporter instead", name))
		}
		if retry {
			errs = append(errs, fmt.Errorf("%s::retry_on_failure: set retry_on_failure of this exporter instead", name))
		}
	}
	if x := c.OTLPGRPC.Get(); x != nil {
		check("otlp_grpc", x.QueueConfig.HasValue(), x.RetryConfig.Enabled)
	}
	if x := c.OTLPHTTP.Get(); x != nil {
		check("otlp_http", x.QueueConfig.HasValue(), x.RetryConfig.Enabled)
	}
	if x := c.LoadBalancing.Get(); x != nil {
		check("load_balancing", x.QueueSettings.HasValue(), x.BackOffConfig.Enabled)
		if x.Protocol.OTLP.QueueConfig.HasValue() {
			errs = append(errs, errors.New("load_balancing::protocol::otlp::sending_queue: is in memory, set sending_queue of this exporter instead"))
		}
	}
	if x := c.Kafka.Get(); x != nil {
		check("kafka", x.QueueBatchConfig.HasValue(), x.BackOffConfig.Enabled)
		errs = append(errs, validateKafka(x))
	}
	if targets != 1 {
		errs = append(errs, fmt.Errorf("%d of otlp_grpc, otlp_http, load_balancing, and kafka are set, it must be one", targets))
	}
	return errors.Join(errs...)
}

// limit returns the maximum size of a request in bytes.
func (c *Config) limit() int {
	if k := c.Kafka.Get(); k != nil {
		return min(c.MaxRequestBytes, k.Producer.MaxMessageBytes-messageOverhead)
	}
	return c.MaxRequestBytes
}
