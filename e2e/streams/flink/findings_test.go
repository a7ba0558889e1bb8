// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package flink

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/auspex-otel/auspex/internal/peertest"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// findings holds the updates of findings of each shard, in the order in which they were written.
type findings map[string][]update

// update is the state of a finding after a change.
type update struct {
	// id begins with the kind: "auspex.anomaly" or "auspex.incident".
	id string
	// record has all fields of the log record in JSON with sorted keys.
	record string
}

// updateOf returns the update in a log record.
func updateOf(t *testing.T, lr plog.LogRecord) update {
	t.Helper()
	attribute := vocabulary.AttrAnomalyID
	if lr.EventName() == vocabulary.EventIncident {
		attribute = vocabulary.AttrIncidentID
	}
	id, ok := lr.Attributes().Get(attribute)
	require.True(t, ok, "a finding without %s", attribute)
	record, err := json.Marshal(map[string]any{
		"event": lr.EventName(), "time": lr.Timestamp().AsTime(), "severity": lr.SeverityText(), "number": lr.SeverityNumber(),
		"body": lr.Body().AsString(), "attributes": lr.Attributes().AsRaw(),
	})
	require.NoError(t, err)
	return update{lr.EventName() + " " + id.Str(), string(record)}
}

// addBacktest adds the findings of auspex backtest otlp, which writes the last state of each. The events are those
// that the collector makes of them.
func (f findings) addBacktest(t *testing.T, shard, folder string) {
	t.Helper()
	addFile(t, f, shard, filepath.Join(folder, "anomalies.jsonl"), vocabulary.PutAnomaly)
	addFile(t, f, shard, filepath.Join(folder, "incidents.jsonl"), vocabulary.PutIncident)
}

// addFile adds the findings of one file, of which put makes an event.
func addFile[F any](t *testing.T, f findings, shard, path string, put func(plog.LogRecord, *F)) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		var finding F
		require.NoError(t, json.Unmarshal([]byte(line), &finding))
		lr := plog.NewLogRecord()
		put(lr, &finding)
		f[shard] = append(f[shard], updateOf(t, lr))
	}
}

// readFindings reads a topic of findings up to its present end, without those of aborted transactions. It returns the
// number of updates that it had read before, too.
func readFindings(t *testing.T, broker *peertest.Kafka, topic string) (found findings, repeated int) {
	t.Helper()
	found = findings{}
	seen := map[update]bool{}
	for _, message := range readTopic(t, broker, topic) {
		logs, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(message.Value)
		require.NoError(t, err, "partition %d, offset %d of %s", message.Partition, message.Offset, topic)
		for _, rl := range logs.ResourceLogs().All() {
			for _, sl := range rl.ScopeLogs().All() {
				for _, lr := range sl.LogRecords().All() {
					u := updateOf(t, lr)
					if seen[u] {
						repeated++
					}
					seen[u] = true
					found[string(message.Key)] = append(found[string(message.Key)], u)
				}
			}
		}
	}
	return found, repeated
}

// readTopic returns the messages of a topic up to its present end, without those of aborted transactions.
func readTopic(t *testing.T, broker *peertest.Kafka, topic string) (messages []*kgo.Record) {
	t.Helper()
	client := broker.Client(kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords())
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ends, err := kadm.NewClient(client).ListCommittedOffsets(ctx, topic)
	require.NoError(t, err)
	missing := map[int32]int64{}
	for _, end := range ends[topic] {
		if end.Offset > 0 {
			missing[end.Partition] = end.Offset
		}
	}
	for len(missing) > 0 {
		fetches := client.PollFetches(ctx)
		require.NoError(t, fetches.Err(), "%s: offsets to read: %v", topic, missing)
		fetches.EachRecord(func(r *kgo.Record) {
			if r.Offset+1 >= missing[r.Partition] {
				delete(missing, r.Partition)
			}
			if !r.Attrs.IsControl() {
				messages = append(messages, r)
			}
		})
	}
	return messages
}

// last returns the last states of all findings, sorted, each on a line.
func (f findings) last() []string {
	states := map[string]string{}
	for shard, updates := range f {
		for _, u := range updates {
			states[shard+" "+u.id] = shard + " " + u.record
		}
	}
	sorted := make([]string, 0, len(states))
	for _, state := range states {
		sorted = append(sorted, state)
	}
	slices.Sort(sorted)
	return sorted
}

// sequence returns the updates of all shards in their order, without repeated ones, each on a line.
func (f findings) sequence() (list []string) {
	for _, shard := range slices.Sorted(maps.Keys(f)) {
		seen := map[update]bool{}
		for _, u := range f[shard] {
			if !seen[u] {
				list = append(list, shard+" "+u.record)
			}
			seen[u] = true
		}
	}
	return list
}

// count returns the number of findings of a kind.
func (f findings) count(kind string) (n int) {
	seen := map[string]bool{}
	for shard, updates := range f {
		for _, u := range updates {
			if name := shard + " " + u.id; strings.HasPrefix(u.id, kind+" ") && !seen[name] {
				seen[name] = true
				n++
			}
		}
	}
	return n
}

func (f findings) String() string {
	updates := 0
	for _, list := range f {
		updates += len(list)
	}
	return fmt.Sprintf("%d anomalies, %d incidents, %d updates", f.count(vocabulary.EventAnomaly), f.count(vocabulary.EventIncident), updates)
}
