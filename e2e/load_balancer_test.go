// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/auspex-otel/auspex/demo/telemetry"
	"github.com/auspex-otel/auspex/internal/peertest"
)

const (
	// shardServices services send data of every signal in each of shardSteps steps. One of them is a host without a
	// service.
	shardServices, shardSteps = 40, 60
	// shardDown and shardUp are the steps at which a gateway is killed and restarted.
	shardDown, shardUp = 20, 40
)

// shard is a gateway. It counts what passed through it, by item and source.
type shard struct {
	backend
	gateway *peertest.Collector
	sources map[string]map[string]int
	traces  map[pcommon.TraceID]bool
}

func (s *shard) take(resource pcommon.Resource, thing string) {
	source := sourceOf(resource)
	if s.sources[source] == nil {
		s.sources[source] = map[string]int{}
	}
	s.sources[source][thing]++
}

// sourceOf returns the sender of a resource.
func sourceOf(resource pcommon.Resource) string {
	for _, key := range []string{"service.name", "host.name"} {
		if v, ok := resource.Attributes().Get(key); ok {
			return v.Str()
		}
	}
	return ""
}

// startShard starts a gateway and its backend.
func startShard(t *testing.T) *shard {
	t.Helper()
	s := &shard{sources: map[string]map[string]int{}, traces: map[pcommon.TraceID]bool{}}
	s.backend.traces = func(td ptrace.Traces) {
		for _, rs := range td.ResourceSpans().All() {
			for _, span := range rs.ScopeSpans().At(0).Spans().All() {
				s.take(rs.Resource(), "span "+span.SpanID().String())
				s.traces[span.TraceID()] = true
			}
		}
	}
	s.logs = func(ld plog.Logs) {
		for _, rl := range ld.ResourceLogs().All() {
			for _, record := range rl.ScopeLogs().At(0).LogRecords().All() {
				s.take(rl.Resource(), "log "+record.Body().Str())
			}
		}
	}
	s.metrics = func(md pmetric.Metrics) {
		for _, rm := range md.ResourceMetrics().All() {
			for _, m := range rm.ScopeMetrics().At(0).Metrics().All() {
				if m.Name() == queueMetric {
					s.take(rm.Resource(), fmt.Sprint("point ", m.Gauge().DataPoints().At(0).IntValue()))
				}
			}
		}
	}
	s.start(t)
	s.gateway = peertest.StartCollector(t, peertest.CollectorOptions{
		Base: "auspex:gateway", Config: config(t, "sharded_gateway.yaml"),
		Env: peertest.Shipped(t, "E2E_BACKEND="+s.address, "AUSPEX_REPLICAS=2"),
	})
	return s
}

// TestLoadBalancer sends through auspex:load-balancer to two gateways, one of which is killed and restarted. It
// verifies that all acknowledged data arrives, and that all signals of a service arrive at one gateway. If traces
// must be complete, all spans of a trace arrive at one gateway.
func TestLoadBalancer(t *testing.T) {
	for _, by := range []string{"service", "trace"} {
		t.Run(by, func(t *testing.T) {
			shards := []*shard{startShard(t), startShard(t)}
			lb := peertest.StartCollector(t, peertest.CollectorOptions{Base: "auspex:load-balancer", Env: peertest.Shipped(
				t, "AUSPEX_TRACES_BY="+by, "AUSPEX_GATEWAYS_INSECURE=true",
				fmt.Sprintf("AUSPEX_GATEWAYS=[%s, %s]", shards[0].gateway.OTLP, shards[1].gateway.OTLP))})
			sendSharded(t, lb.OTLP, shards[0])
			var total shardCount
			peertest.Eventually(t, time.Minute, "all acknowledged data arrived", func() error {
				total = countShards(shards)
				if total.things != 3*shardServices*shardSteps {
					return fmt.Errorf("%d of %d items arrived", total.things, 3*shardServices*shardSteps)
				}
				return nil
			})
			t.Logf("%d items acknowledged and found, at gateways %v; repeated after a kill: %v", total.things, total.at, total.again)
			assert.NotZero(t, total.at[0])
			assert.NotZero(t, total.at[1])
			assert.Zero(t, total.again[1], "duplicates at the gateway that kept running")
			for id := range shards[0].traces {
				assert.False(t, by == "trace" && shards[1].traces[id], "trace %s is at both gateways", id)
			}
			for source := range shards[0].sources {
				for signal := range shards[0].signals(source) {
					both := shards[1].signals(source)[signal]
					assert.Equal(t, by == "trace" && signal == "span", both, "%s: %s at both gateways", source, signal)
				}
				if by == "service" {
					assert.Len(t, shards[0].signals(source), 3, "%s: signals at the first gateway", source)
				}
			}
		})
	}
}

// signals returns the signals that arrived from a source.
func (s *shard) signals(source string) map[string]bool {
	found := map[string]bool{}
	for thing := range s.sources[source] {
		signal, _, _ := strings.Cut(thing, " ")
		found[signal] = true
	}
	return found
}

// shardCount counts the items that arrived.
type shardCount struct {
	things    int    // distinct ones at all gateways
	at, again [2]int // by gateway: distinct ones, and repetitions
}

func countShards(shards []*shard) (c shardCount) {
	all := map[string]bool{}
	for i, s := range shards {
		s.mu.Lock()
		for source, things := range s.sources {
			c.at[i] += len(things)
			for thing, n := range things {
				c.again[i] += n - 1
				all[source+" "+thing] = true
			}
		}
		s.mu.Unlock()
	}
	c.things = len(all)
	return c
}

// sendSharded sends all steps and kills a gateway during some of them. Every request is acknowledged.
func sendSharded(t *testing.T, endpoint string, victim *shard) {
	t.Helper()
	sink, err := telemetry.Dial(endpoint)
	require.NoError(t, err)
	defer sink.Close()
	for step := range shardSteps {
		switch step {
		case shardDown:
			victim.gateway.Kill()
		case shardUp:
			victim.gateway.Start()
		}
		require.NoError(t, sink.Send(t.Context(), shardedStep(step)))
		time.Sleep(20 * time.Millisecond)
	}
}

// shardedStep returns a point, a log line, and a span of each source. Spans of four neighbors form one trace.
func shardedStep(step int) telemetry.Batch {
	b := telemetry.Batch{Traces: ptrace.NewTraces(), Logs: plog.NewLogs(), Metrics: pmetric.NewMetrics()}
	now := pcommon.NewTimestampFromTime(time.Now())
	for i := range shardServices {
		name := func(resource pcommon.Resource) {
			key := "service.name"
			if i == 0 {
				key = "host.name"
			}
			resource.Attributes().PutStr(key, fmt.Sprint("source-", i))
		}
		rm := b.Metrics.ResourceMetrics().AppendEmpty()
		name(rm.Resource())
		m := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
		m.SetName(queueMetric)
		point := m.SetEmptyGauge().DataPoints().AppendEmpty()
		point.SetIntValue(int64(step))
		point.SetTimestamp(now)

		rl := b.Logs.ResourceLogs().AppendEmpty()
		name(rl.Resource())
		record := rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
		record.Body().SetStr(fmt.Sprint("step ", step))
		record.SetTimestamp(now)

		rs := b.Traces.ResourceSpans().AppendEmpty()
		name(rs.Resource())
		span := rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
		span.SetName("work")
		span.SetStartTimestamp(now)
		span.SetEndTimestamp(now + 1e6)
		var trace [16]byte
		binary.BigEndian.PutUint64(trace[8:], uint64(step*shardServices+i/4+1))
		span.SetTraceID(trace)
		var id [8]byte
		binary.BigEndian.PutUint64(id[:], uint64(step*shardServices+i+1))
		span.SetSpanID(id)
	}
	return b
}
