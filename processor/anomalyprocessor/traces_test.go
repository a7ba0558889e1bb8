// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package anomalyprocessor

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/auspex-otel/auspex/internal/engine"
	"github.com/auspex-otel/auspex/processor/anomalyprocessor/internal/metadata"
)

// called returns a batch with the n-th span, which has the duration took.
func called(n int, took time.Duration, failed bool) ptrace.Traces {
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	rs.Resource().Attributes().PutStr("service.name", "cart")
	span := rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	var id [8]byte
	binary.BigEndian.PutUint64(id[:], uint64(n))
	span.SetSpanID(id)
	span.SetName("GET /cart")
	end := dawn.Add(time.Duration(n) * time.Second)
	span.SetStartTimestamp(pcommon.NewTimestampFromTime(end.Add(-took)))
	span.SetEndTimestamp(pcommon.NewTimestampFromTime(end))
	if failed {
		span.Status().SetCode(ptrace.StatusCodeError)
	}
	return td
}

func spanAttributes(td ptrace.Traces) map[string]any {
	return td.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).Attributes().AsRaw()
}

func TestSpansAreMarkedAndTheNextConsumersAnswerIsReturned(t *testing.T) {
	sink := &consumertest.TracesSink{}
	refusal := errors.New("not now")
	refuse := false
	next, err := consumer.NewTraces(func(ctx context.Context, td ptrace.Traces) error {
		if refuse {
			return refusal
		}
		return sink.ConsumeTraces(ctx, td)
	})
	require.NoError(t, err)
	p, err := NewFactory().CreateTraces(t.Context(), processortest.NewNopSettings(metadata.Type), NewFactory().CreateDefaultConfig(), next)
	require.NoError(t, err)
	require.NoError(t, p.Start(t.Context(), hostOf(ticked(engine.DefaultConfig()))))
	assert.True(t, p.Capabilities().MutatesData)
	for n := range 2000 {
		require.NoError(t, p.ConsumeTraces(t.Context(), called(n, time.Duration(100+n%17)*time.Millisecond, false)))
	}
	refuse = true
	require.ErrorIs(t, p.ConsumeTraces(t.Context(), called(2000, 9*time.Second, false)), refusal)
	refuse = false
	require.NoError(t, p.ConsumeTraces(t.Context(), called(2000, 9*time.Second, false)))
	scored := called(2001, 9*time.Second, false)
	scored.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).Attributes().PutDouble("anomaly.score", 7)
	require.NoError(t, p.ConsumeTraces(t.Context(), scored))
	require.NoError(t, p.Shutdown(t.Context()))

	got := sink.AllTraces()
	assert.Empty(t, spanAttributes(got[1999]))
	slow := spanAttributes(got[2000])
	assert.Equal(t, engine.ReasonSlow, slow["anomaly.reason"])
	assert.Greater(t, slow["anomaly.score"], 1.0)
	assert.Equal(t, map[string]any{"anomaly.score": 7.0}, spanAttributes(got[2001]), "what was there stays")
}

// BenchmarkConsumeTraces measures the cost of spans between their receiver and the next consumer:
// 100 requests per batch through five services, two spans in each, which call each other in
// sequence.
func BenchmarkConsumeTraces(b *testing.B) {
	p, err := NewFactory().CreateTraces(b.Context(), processortest.NewNopSettings(metadata.Type), NewFactory().CreateDefaultConfig(), consumertest.NewNop())
	require.NoError(b, err)
	e := newEngine()
	require.NoError(b, p.Start(b.Context(), hostOf(e)))
	const requests, services, depth = 100, 5, 10
	td := ptrace.NewTraces()
	var spans [services]ptrace.SpanSlice
	for i := range services {
		rs := td.ResourceSpans().AppendEmpty()
		rs.Resource().Attributes().PutStr("service.name", fmt.Sprint("service", i))
		spans[i] = rs.ScopeSpans().AppendEmpty().Spans()
		for j := range 2 * requests {
			span := spans[i].AppendEmpty()
			span.SetName(fmt.Sprint("operation", j%2, "of", j/2%5))
			span.SetKind([]ptrace.SpanKind{ptrace.SpanKindServer, ptrace.SpanKindClient}[j%2])
		}
	}
	t, random := start, rand.New(rand.NewPCG(1, 2))
	id := func(request uint64, level int) (id pcommon.SpanID) {
		binary.BigEndian.PutUint64(id[:], request*depth+uint64(level))
		return id
	}
	b.ReportAllocs()
	for n := uint64(0); b.Loop(); n++ {
		b.StopTimer()
		t = t.Add(time.Second)
		e.Tick(t)
		for r := range uint64(requests) {
			var trace pcommon.TraceID
			binary.BigEndian.PutUint64(trace[8:], n*requests+r+1)
			took := time.Duration(float64(50*time.Millisecond) * math.Exp(random.NormFloat64()/3))
			for level := range depth {
				span := spans[level/2].At(int(2*r) + level%2)
				span.SetTraceID(trace)
				span.SetSpanID(id(n*requests+r+1, level))
				if level > 0 {
					span.SetParentSpanID(id(n*requests+r+1, level-1))
				}
				inside := time.Duration(level) * time.Millisecond
				span.SetStartTimestamp(pcommon.NewTimestampFromTime(t.Add(inside)))
				span.SetEndTimestamp(pcommon.NewTimestampFromTime(t.Add(took + 20*time.Millisecond - inside)))
			}
		}
		b.StartTimer()
		if err := p.ConsumeTraces(b.Context(), td); err != nil {
			b.Fatal(err)
		}
	}
	perSpan := float64(b.Elapsed().Nanoseconds()) / float64(b.N) / (requests * depth)
	b.ReportMetric(perSpan, "ns/span")
	b.ReportMetric(1e9/perSpan, "spans/s")
}
