// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package reliableotlpexporter

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/open-telemetry/opentelemetry-collector-contrib/exporter/kafkaexporter"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/kafka/configkafka"
	"github.com/twmb/franz-go/pkg/kerr"
	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/auspex-otel/auspex/internal/vocabulary"
)

const (
	// shardKey is the metadata key under which contrib's exporter finds the key of a message.
	shardKey = "auspex.shard"
	// messageOverhead is the room for the key, the headers, and the framing of a message, in bytes.
	messageOverhead = 4 << 10
	// kafkaEncoding is the only encoding whose size is that of an OTLP request.
	kafkaEncoding = "otlp_proto"
)

// shardAttributes identify the shard of a resource. The first that is set applies.
var shardAttributes = []string{vocabulary.ServiceNamespace, vocabulary.ServiceName, vocabulary.HostName}

// shardOf returns the key of the messages with data of a resource. All signals of a service have
// the same key, so topics with the same number of partitions have them in the same partition.
func shardOf(resource pcommon.Resource) string {
	for _, name := range shardAttributes {
		if v, ok := resource.Attributes().Get(name); ok && v.AsString() != "" {
			return v.AsString()
		}
	}
	return vocabulary.UnknownService
}

// part is the data of one shard, or a whole batch without a shard.
type part[T any] struct {
	shard string
	data  T
}

// context adds the key of the message to the metadata of the client, where contrib's exporter
// finds it.
func (p part[T]) context(ctx context.Context) context.Context {
	if p.shard == "" {
		return ctx
	}
	info := client.FromContext(ctx)
	metadata := map[string][]string{shardKey: {p.shard}}
	for key := range info.Metadata.Keys() {
		metadata[key] = info.Metadata.Get(key)
	}
	info.Metadata = client.NewMetadata(metadata)
	return client.NewContext(ctx, info)
}

// byShard divides a batch of n resources by shard, in the order of the first resource of each.
// add copies a resource with its data to a batch that empty returned. A batch with one shard is
// returned without a copy.
func byShard[T any](batch T, n int, resource func(int) pcommon.Resource, empty func() T, add func(i int, to T)) []part[T] {
	shards := make([]string, n)
	for i := range shards {
		shards[i] = shardOf(resource(i))
	}
	if n == 0 {
		return nil
	}
	if !slices.ContainsFunc(shards, func(s string) bool { return s != shards[0] }) {
		return []part[T]{{shards[0], batch}}
	}
	var parts []part[T]
	at := map[string]int{}
	for i, s := range shards {
		k, ok := at[s]
		if !ok {
			k = len(parts)
			at[s], parts = k, append(parts, part[T]{s, empty()})
		}
		add(i, parts[k].data)
	}
	return parts
}

// interruptible returns a function that returns when its context is canceled, as at a shutdown.
// Contrib's exporter waits for the answer to messages that a broker may have already, until it is
// shut down itself.
func interruptible[T any](send func(context.Context, T) error) func(context.Context, T) error {
	return func(ctx context.Context, data T) error {
		sent := make(chan error, 1)
		go func() { sent <- send(ctx, data) }()
		select {
		case err := <-sent:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// defaultKafkaConfig returns the defaults of contrib's exporter, except that a message counts as
// sent when all in-sync replicas have it. Requests are sent one after the other, so waiting for
// more records would only delay them.
func defaultKafkaConfig() kafkaexporter.Config {
	c := kafkaexporter.NewFactory().CreateDefaultConfig().(*kafkaexporter.Config)
	c.QueueBatchConfig, c.BackOffConfig = configoptional.None[exporterhelper.QueueBatchConfig](), configretry.BackOffConfig{}
	c.Producer.RequiredAcks, c.Producer.Linger = configkafka.WaitForAll, 0
	return *c
}

// keyed returns the configuration with the shard as the key of every message.
func keyed(c kafkaexporter.Config) *kafkaexporter.Config {
	for _, s := range []*kafkaexporter.SignalConfig{&c.Logs, &c.Metrics, &c.Traces} {
		s.MessageKeyFromMetadataKey = shardKey
	}
	return &c
}

// validateKafka returns an error for each key that would lose data or distribute a service over
// several partitions.
func validateKafka(c *kafkaexporter.Config) error {
	var errs []error
	if least := messageOverhead + minMaxRequestBytes; c.Producer.MaxMessageBytes < least {
		errs = append(errs, fmt.Errorf("kafka::producer::max_message_bytes: is %d, it must be at least %d", c.Producer.MaxMessageBytes, least))
	}
	if c.Producer.RequiredAcks != configkafka.WaitForAll {
		errs = append(errs, fmt.Errorf("kafka::producer::required_acks: is %d, it must be all: a broker that fails would lose acknowledged data", c.Producer.RequiredAcks))
	}
	if c.PartitionTracesByID || c.PartitionMetricsByResourceAttributes || c.PartitionLogsByResourceAttributes || c.PartitionLogsByTraceID {
		errs = append(errs, errors.New("kafka: remove partition_…: the key of a message is its service"))
	}
	if c.RecordPartitioner.StickyKey == nil {
		errs = append(errs, errors.New("kafka::record_partitioner: must be sticky_key, otherwise a service is distributed over several partitions"))
	}
	for _, s := range []struct {
		signal string
		config kafkaexporter.SignalConfig
	}{{"logs", c.Logs}, {"metrics", c.Metrics}, {"traces", c.Traces}} {
		if s.config.Encoding != kafkaEncoding {
			errs = append(errs, fmt.Errorf("kafka::%s::encoding: is %q, it must be %s", s.signal, s.config.Encoding, kafkaEncoding))
		}
		if s.config.MessageKeyFromMetadataKey != "" {
			errs = append(errs, fmt.Errorf("kafka::%s::message_key_from_metadata_key: remove it, the key of a message is its service", s.signal))
		}
	}
	return errors.Join(errs...)
}

// kafkaRefusals are the errors of a broker that concern the data. Every other error, such as a
// missing permission or topic, can be corrected without changing the data.
var kafkaRefusals = []error{kerr.MessageTooLarge, kerr.RecordListTooLarge, kerr.InvalidRecord, kerr.InvalidTimestamp}

// kafkaTemporary reports whether an error is of a Kafka broker and does not concern the data.
func kafkaTemporary(err error) bool {
	var broker *kerr.Error
	return errors.As(err, &broker) && !slices.ContainsFunc(kafkaRefusals, func(refusal error) bool { return errors.Is(err, refusal) })
}

// kafkaTooLarge reports whether a broker accepts the data in smaller messages.
func kafkaTooLarge(err error) bool {
	return errors.Is(err, kerr.MessageTooLarge) || errors.Is(err, kerr.RecordListTooLarge)
}
