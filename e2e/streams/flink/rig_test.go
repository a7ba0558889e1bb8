// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package flink

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/auspex-otel/auspex/demo/telemetry"
	"github.com/auspex-otel/auspex/internal/peertest"
)

const (
	// partitions is less than the number of shops, so that each partition has data and none becomes idle.
	partitions = 3
	// parallelism is the number of tasks, which a job may increase.
	parallelism = 2
)

var topics = []string{"otlp_metrics", "otlp_logs", "otlp_spans"}

// agentOverlay stops the agent from sending metrics of its host, whose event time is now. The recordings are older, so
// all of them would be late. It also makes the agent faster.
const agentOverlay = `
receivers:
  host_metrics:
    initial_delay: 24h
extensions:
  file_storage/queue:
    fsync: false
`

// seed returns $AUSPEX_E2E_SEED, or 1.
func seed(t *testing.T) int {
	t.Helper()
	text := os.Getenv("AUSPEX_E2E_SEED")
	if text == "" {
		return 1
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err, "AUSPEX_E2E_SEED")
	return n
}

// startBroker starts a broker with empty topics.
func startBroker(t *testing.T) *peertest.Kafka {
	t.Helper()
	broker := peertest.StartKafka(t)
	require.NoError(t, broker.CreateTopics(t.Context(), partitions, topics...))
	return broker
}

// fill sends the recordings through auspex:agent-kafka, and checks that each partition has messages. It returns the
// number of messages.
func fill(t *testing.T, broker *peertest.Kafka, s *shops) int64 {
	t.Helper()
	agent := peertest.StartCollector(t, peertest.CollectorOptions{
		Base: "auspex:agent-kafka", Config: agentOverlay,
		Env: peertest.Shipped(t, "AUSPEX_KAFKA=["+broker.Address+"]", "AUSPEX_KAFKA_INSECURE=true"),
	})
	sink, err := telemetry.Dial(agent.OTLP)
	require.NoError(t, err)
	defer sink.Close()
	sent := s.send(t, sink)
	peertest.Eventually(t, 5*time.Minute, "all messages to reach the broker", func() error {
		if n := total(t, broker, topics...); n != sent {
			return fmt.Errorf("it has %d messages, not %d", n, sent)
		}
		return nil
	})
	agent.Stop()
	for _, topic := range topics {
		require.NotContains(t, ends(t, broker, topic), int64(0), "messages in the partitions of %s", topic)
	}
	return sent
}

// ends returns the end of each partition of topics.
func ends(t *testing.T, broker *peertest.Kafka, topics ...string) (list []int64) {
	t.Helper()
	client := broker.Client()
	defer client.Close()
	listed, err := kadm.NewClient(client).ListEndOffsets(t.Context(), topics...)
	require.NoError(t, err)
	listed.Each(func(o kadm.ListedOffset) { list = append(list, o.Offset) })
	return list
}

// total returns the number of messages in topics.
func total(t *testing.T, broker *peertest.Kafka, topics ...string) (n int64) {
	t.Helper()
	for _, end := range ends(t, broker, topics...) {
		n += end
	}
	return n
}

// consumed returns the share of the input that a group has committed, which Flink does after each checkpoint.
func consumed(ctx context.Context, broker *peertest.Kafka, group string) (float64, error) {
	client := broker.Client()
	defer client.Close()
	admin := kadm.NewClient(client)
	committed, err := admin.FetchOffsets(ctx, group)
	if err != nil {
		return 0, err
	}
	ends, err := admin.ListEndOffsets(ctx, topics...)
	if err != nil {
		return 0, err
	}
	var done, all int64
	ends.Each(func(o kadm.ListedOffset) {
		all += o.Offset
		if c, ok := committed.Lookup(o.Topic, o.Partition); ok {
			done += c.At
		}
	})
	return float64(done) / float64(all), nil
}
