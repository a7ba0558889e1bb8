// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/auspex-otel/auspex/internal/golden"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// Each testdata/spans/*.txt plays spans and says what opens. A line in the first
// column is a command, the indented lines below it are what must come of it:
//
//	calls MEAN FROM..TO SERVICE OPERATION MS SPREAD ERRORS   a call at random, in the mean every MEAN seconds; its duration
//	                                                         is log-normal around MS, ERRORS is the share that fails
//	restart AT
//	play
func TestSpanScenarios(t *testing.T) {
	golden.Files(t, "testdata/spans/*.txt", playSpans)
}

// call is one call that is played, or a restart.
type call struct {
	at, seconds   float64
	service, name string
	failed        bool
	restart       bool
}

func playSpans(t *testing.T, text string) string {
	t.Helper()
	var calls []call
	random := rand.New(rand.NewPCG(1, 2))
	number := func(s string) float64 {
		v, err := strconv.ParseFloat(s, 64)
		require.NoError(t, err, s)
		return v
	}
	return golden.Play(text, func(words []string) (answers []string) {
		switch words[0] {
		case "calls":
			from, to, _ := strings.Cut(words[2], "..")
			for at := number(from); ; {
				if at += random.ExpFloat64() * number(words[1]); at >= number(to) {
					break
				}
				calls = append(calls, call{
					at: at, service: words[3], name: words[4], failed: random.Float64() < number(words[7]),
					seconds: number(words[5]) / 1000 * math.Exp(number(words[6])*random.NormFloat64()),
				})
			}
		case "restart":
			calls = append(calls, call{at: number(words[1]), restart: true})
		case "play":
			slices.SortStableFunc(calls, func(a, b call) int { return cmp.Compare(a.at, b.at) })
			p := &logPlayer{T: t}
			answers, calls = p.playCalls(calls), nil
		default:
			t.Fatalf("unknown command %q", words[0])
		}
		return answers
	})
}

// playCalls returns what opened and closed, and how many spans were marked with what.
func (p *logPlayer) playCalls(calls []call) (answers []string) {
	p.store = newMemory()
	p.start(0)
	state, marked := map[string]incident.State{}, map[string]int{}
	for id := uint64(1); len(calls) > 0; {
		second := int(calls[0].at)
		td := ptrace.NewTraces()
		for ; len(calls) > 0 && int(calls[0].at) == second; calls = calls[1:] {
			if calls[0].restart {
				require.NoError(p, p.engine.Snapshot(p.Context(), at(float64(second))))
				p.start(second)
				continue
			}
			addCall(td, calls[0], id)
			id++
		}
		p.engine.Tick(at(float64(second)))
		for _, v := range p.engine.ObserveTraces(td) {
			if v.Score > 0 {
				marked[v.Reason]++
			}
		}
		events := p.engine.PendingEvents()
		slices.SortStableFunc(events.Anomalies, func(a, b *incident.Anomaly) int { return a.Opened.Compare(b.Opened) })
		for _, a := range events.Anomalies {
			if state[a.ID] != a.State {
				state[a.ID] = a.State
				answers = append(answers, describeLog(a)+" "+a.Attributes[vocabulary.AttrSpanName])
			}
		}
		p.engine.DeliveredEvents(events)
	}
	for _, reason := range slices.Sorted(maps.Keys(marked)) {
		answers = append(answers, fmt.Sprintf("marked %d: %s", marked[reason], reason))
	}
	return answers
}

func addCall(td ptrace.Traces, c call, id uint64) {
	rs := td.ResourceSpans().AppendEmpty()
	rs.Resource().Attributes().PutStr(vocabulary.ServiceName, c.service)
	span := rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	span.SetName(c.name)
	span.SetKind(ptrace.SpanKindServer)
	var spanID [8]byte
	binary.BigEndian.PutUint64(spanID[:], id)
	span.SetSpanID(spanID)
	span.SetStartTimestamp(pcommon.NewTimestampFromTime(at(c.at - c.seconds)))
	span.SetEndTimestamp(pcommon.NewTimestampFromTime(at(c.at)))
	if c.failed {
		span.Status().SetCode(ptrace.StatusCodeError)
	}
}

func TestResentSpansAreObservedOnce(t *testing.T) {
	e := newEngine()
	batch := func(id uint64) ptrace.Traces {
		td := ptrace.NewTraces()
		addCall(td, call{at: 1, seconds: 0.1, service: "cart", name: "GET /"}, id)
		return td
	}
	first := e.ObserveTraces(batch(1))
	once := packed(t, e)
	assert.Equal(t, first, e.ObserveTraces(batch(1)))
	assert.Equal(t, once, packed(t, e), "nothing was observed")
	e.ObserveTraces(batch(2))
	assert.NotEqual(t, once, packed(t, e))
}

func TestSpansWithoutTimesAreCounted(t *testing.T) {
	e := newEngine()
	td := ptrace.NewTraces()
	addCall(td, call{at: 1, seconds: -5, service: "cart", name: "GET /"}, 1)
	assert.Equal(t, []SpanVerdict{{}}, e.ObserveTraces(td))
	assert.Equal(t, uint64(1), e.Status().Refused[RefusedNoTimestamp])
}

func BenchmarkObserveTraces(b *testing.B) {
	e := newEngine()
	const count = 1000
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	rs.Resource().Attributes().PutStr(vocabulary.ServiceName, "cart")
	spans := rs.ScopeSpans().AppendEmpty().Spans()
	random := rand.New(rand.NewPCG(1, 2))
	for i := range count {
		span := spans.AppendEmpty()
		span.SetName(fmt.Sprint("GET /", i%50))
		span.SetKind(ptrace.SpanKindServer)
		span.SetSpanID([8]byte{1, byte(i), byte(i >> 8)})
	}
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		e.Tick(at(float64(n)))
		for i := range count {
			now := at(float64(n) + float64(i)/count)
			spans.At(i).SetEndTimestamp(pcommon.NewTimestampFromTime(now))
			spans.At(i).SetStartTimestamp(pcommon.NewTimestampFromTime(now) - pcommon.Timestamp(1e6*math.Exp(random.NormFloat64())))
		}
		e.ObserveTraces(td)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*count), "ns/span")
}
