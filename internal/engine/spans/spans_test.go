// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package spans

import (
	"fmt"
	"math"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/zap"

	"github.com/auspex-otel/auspex/internal/detect/season"
	"github.com/auspex-otel/auspex/internal/engine/budget"
	"github.com/auspex-otel/auspex/internal/engine/judge"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/trace"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// noEvidence ignores what spans show about causes.
type noEvidence struct{}

func (noEvidence) Resource(string, pcommon.Map, int64)        {}
func (noEvidence) Span(string, ptrace.Span, int64)            {}
func (noEvidence) Peer(trace.Operation) (none incident.Party) { return none }
func (noEvidence) Use(string, string, string, float64, int64) {}

var start = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func at(second int) time.Time { return start.Add(time.Duration(second) * time.Second) }

func newSpans(ttl time.Duration, entries int) (*judge.Judge, *Spans) {
	j := judge.New(judge.Config{
		FalseAlarms: budget.FalseAlarms{Count: 5, Per: 24 * time.Hour, Replicas: 1, MaxAlpha: 1e-3},
		MaxSeries:   100_000, SeriesTTL: 24 * time.Hour, AcceptAfter: time.Hour, Zone: season.NewZone(time.UTC),
	}, zap.NewNop())
	j.Connect(noEvidence{})
	j.Tick(start)
	return j, New(j, noEvidence{}, ttl, entries)
}

// Operations that are called once, as a URL in the name makes them, are bounded over all services. What is called often stays.
func TestOperationsAreBoundedOverAllServices(t *testing.T) {
	const most = 32
	j, c := newSpans(24*time.Hour, most)
	tick := func(second int) {
		j.Tick(at(second))
		c.Tick(at(second))
	}
	send := func(second int, service, name string) {
		td := ptrace.NewTraces()
		rs := td.ResourceSpans().AppendEmpty()
		rs.Resource().Attributes().PutStr(vocabulary.ServiceName, service)
		span := rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
		span.SetName(name)
		span.SetKind(ptrace.SpanKindServer)
		span.SetStartTimestamp(pcommon.NewTimestampFromTime(at(second).Add(-100 * time.Millisecond)))
		span.SetEndTimestamp(pcommon.NewTimestampFromTime(at(second)))
		c.Observe(td)
	}
	total := func() (n int) {
		for _, s := range c.services.All() {
			n += len(s.operations)
		}
		return n
	}
	for second := range 300 {
		tick(second)
		send(second, "cart", "GET /")
	}
	for i := range 20 * most {
		send(300, fmt.Sprint("junk", i%50), fmt.Sprint("GET /", i))
	}
	assert.Equal(t, most, total())
	tick(301)
	assert.Zero(t, c.room)
	for second := 360; second < 3600+900; second += 5 {
		tick(second)
		send(second, "cart", "GET /")
		send(second, "junk0", "GET /")
		send(second, "junk1", "GET /")
	}
	require.NotNil(t, c.find(trace.Operation{Service: "cart", Name: "GET /", Kind: trace.KindServer}))
	assert.NotNil(t, c.find(trace.Operation{Service: "junk1", Name: "GET /", Kind: trace.KindServer}), "room comes back")
}

func TestOperationsOfAServiceAreBounded(t *testing.T) {
	_, c := newSpans(time.Minute, math.MaxInt)
	s := c.serviceOf("cart")
	for i := range 2 * maxOperations {
		c.operation(s, operationKey{name: strconv.Itoa(i)}, 1)
	}
	assert.Len(t, s.operations, maxOperations)
	s.window.End = 120e9
	c.close(s)
	assert.Empty(t, s.operations, "what was not called for long is forgotten")
}
