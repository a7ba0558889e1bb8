// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package reliableotlpexporter

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/auspex-otel/auspex/exporter/reliableotlpexporter/internal/metadata"
)

func resourceOf(attributes map[string]any) pcommon.Resource {
	r := pcommon.NewResource()
	_ = r.Attributes().FromRaw(attributes)
	return r
}

func TestShard(t *testing.T) {
	for want, attributes := range map[string]map[string]any{
		"shop":            {"service.namespace": "shop", "service.name": "cart", "host.name": "h"},
		"cart":            {"service.name": "cart", "service.instance.id": "i", "host.name": "h"},
		"empty":           {"service.namespace": "", "service.name": "empty"},
		"h":               {"host.name": "h"},
		"unknown_service": {"k8s.node.name": "n"},
	} {
		assert.Equal(t, want, shardOf(resourceOf(attributes)))
	}
}

// named returns resources with the given services in one batch of each signal.
func named(services ...string) (plog.Logs, pmetric.Metrics, ptrace.Traces) {
	ld, md, td := plog.NewLogs(), pmetric.NewMetrics(), ptrace.NewTraces()
	for i, s := range services {
		rl := ld.ResourceLogs().AppendEmpty()
		rl.Resource().Attributes().PutStr("service.name", s)
		rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr(fmt.Sprint("record ", i))
		rm := md.ResourceMetrics().AppendEmpty()
		rm.Resource().Attributes().PutStr("service.name", s)
		rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty().SetEmptyGauge().DataPoints().AppendEmpty().SetIntValue(int64(i))
		rs := td.ResourceSpans().AppendEmpty()
		rs.Resource().Attributes().PutStr("service.name", s)
		rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty().SetName(fmt.Sprint("span ", i))
	}
	return ld, md, td
}

// checkParts checks that the parts are those of the services in the order of the first resource of each.
func checkParts[T any](t *testing.T, s signal[T], batch, one T) {
	t.Helper()
	before := text(t, s, batch)
	parts := s.byShard(batch)
	require.Len(t, parts, 2)
	assert.Equal(t, "a", parts[0].shard)
	assert.Equal(t, "b", parts[1].shard)
	assert.Equal(t, 2, s.items(parts[0].data))
	assert.Equal(t, 1, s.items(parts[1].data))
	assert.Equal(t, before, text(t, s, batch), "the batch itself is as it was")

	whole := s.byShard(one)
	require.Len(t, whole, 1)
	assert.Equal(t, one, whole[0].data, "one shard is not copied")
}

func TestByShard(t *testing.T) {
	ld, md, td := named("a", "b", "a")
	oneLd, oneMd, oneTd := named("a", "a")
	checkParts(t, logs, ld, oneLd)
	checkParts(t, metrics, md, oneMd)
	checkParts(t, traces, td, oneTd)
	assert.Empty(t, logs.byShard(plog.NewLogs()))
}

// kafkaRig is a sender to Kafka. The hop is called with the key of each message.
func kafkaRig(t *testing.T, maxMessage int, hop func(key string, ld plog.Logs) error) *sender[plog.Logs] {
	t.Helper()
	cfg := createDefaultConfig().(*Config)
	k := defaultKafkaConfig()
	k.Producer.MaxMessageBytes = maxMessage
	cfg.Kafka, cfg.DeadLetter.Directory = configoptional.Some(k), t.TempDir()
	s, err := newSender(exportertest.NewNopSettings(metadata.Type), cfg, logs, nopComponent{}, func(ctx context.Context, ld plog.Logs) error {
		keys := client.FromContext(ctx).Metadata.Get(shardKey)
		require.Len(t, keys, 1)
		return hop(keys[0], ld)
	}, consumererror.NewLogs)
	require.NoError(t, err)
	require.NoError(t, s.start(t.Context(), componenttest.NewNopHost()))
	return s
}

func TestMessagesHaveOneShardEach(t *testing.T) {
	got := map[string][]string{}
	s := kafkaRig(t, 1<<20, func(key string, ld plog.Logs) error {
		got[key] = append(got[key], bodies(ld)...)
		return nil
	})
	ld, _, _ := named("a", "b", "a")
	ctx := client.NewContext(t.Context(), client.Info{Metadata: client.NewMetadata(map[string][]string{"tenant": {"x"}})})
	require.NoError(t, s.push(ctx, ld))
	assert.Equal(t, map[string][]string{"a": {"record 0", "record 2"}, "b": {"record 1"}}, got)
	assert.Equal(t, []string{"x"}, client.FromContext(part[plog.Logs]{shard: "a"}.context(ctx)).Metadata.Get("tenant"))
}

// A shard that Kafka does not accept now is sent again, with those after it. Those before it are not.
func TestShardsAfterAnErrorAreSentAgain(t *testing.T) {
	down := true
	var got []string
	s := kafkaRig(t, 1<<20, func(key string, _ plog.Logs) error {
		if down && key == "b" {
			return errors.New("no leader")
		}
		got = append(got, key)
		return nil
	})
	ld, _, _ := named("a", "b", "c")
	err := s.push(t.Context(), ld)
	var left consumererror.Logs
	require.ErrorAs(t, err, &left)
	assert.False(t, consumererror.IsPermanent(err))
	down = false
	require.NoError(t, s.push(t.Context(), left.Data()))
	assert.Equal(t, []string{"a", "b", "c"}, got)
}

func TestMessagesAreBoundedByTheProducer(t *testing.T) {
	const maxMessage = 10 << 10
	var got []plog.Logs
	s := kafkaRig(t, maxMessage, func(_ string, ld plog.Logs) error {
		assert.LessOrEqual(t, logs.size(ld), maxMessage-messageOverhead)
		copied := plog.NewLogs()
		ld.CopyTo(copied)
		got = append(got, copied)
		return nil
	})
	require.NoError(t, s.push(t.Context(), batch(1001, 500, maxMessage)))
	assert.Equal(t, append(numbers(0, 500), numbers(501, 1001)...), bodies(got...))
	assert.Len(t, letters(t, s.cfg.DeadLetter.Directory), 1)
}

// At a shutdown, a broker that does not answer keeps no request.
func TestSendingToABrokerEndsWithItsContext(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	s := kafkaRig(t, 1<<20, func(string, plog.Logs) error {
		<-release
		return nil
	})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	ld, _, _ := named("a")
	err := s.push(ctx, ld)
	require.ErrorIs(t, err, context.Canceled)
	assert.False(t, consumererror.IsPermanent(err))
}

func TestAnswersOfABroker(t *testing.T) {
	for name, c := range map[string]struct {
		err      error
		letter   bool // otherwise the data is sent again
		tooLarge bool
	}{
		"too large":     {kerr.MessageTooLarge, true, true},
		"invalid":       {kerr.InvalidRecord, true, false},
		"no permission": {kerr.TopicAuthorizationFailed, false, false},
		"wrong secret":  {kerr.SaslAuthenticationFailed, false, false},
		"no topic":      {kerr.UnknownTopicOrPartition, false, false},
		"old broker":    {kerr.UnsupportedVersion, false, false},
	} {
		err := errors.Join(consumererror.NewPermanent(fmt.Errorf("error exporting to topic %q: %w", "otlp_logs", c.err)))
		assert.Equal(t, c.letter, rejected(err), name)
		assert.Equal(t, c.tooLarge, tooLarge(err), name)
	}
}
