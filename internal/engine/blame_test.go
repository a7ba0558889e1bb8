// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/auspex-otel/auspex/internal/causes"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/topology"
	"github.com/auspex-otel/auspex/internal/trace"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// Cart is what people see. Mail, which it calls, begins to fail; no series of mail is anomalous.
func TestIncidentNamesWhoBehavesOtherwise(t *testing.T) {
	e := newEngine()
	id := uint64(1)
	next := func() (b [8]byte) {
		binary.BigEndian.PutUint64(b[:], id)
		id++
		return b
	}
	play := func(from, to int, failed bool) {
		for s := from; s < to; s++ {
			td := ptrace.NewTraces()
			for n := range 5 {
				var traceID [16]byte
				traceID[0], traceID[1], traceID[2] = byte(n), byte(s), byte(s>>8)
				addCall(td, call{at: float64(s), seconds: .2, service: "cart", name: "GET /"}, id)
				parent := next()
				addCall(td, call{at: float64(s), seconds: .1, service: "mail", name: "send", failed: failed}, id)
				child := next()
				for i, span := range [...][8]byte{parent, child} {
					of := td.ResourceSpans().At(2*n + i).ScopeSpans().At(0).Spans().At(0)
					of.SetTraceID(traceID)
					of.SetSpanID(span)
					if i == 1 {
						of.SetParentSpanID(parent)
					}
				}
			}
			e.Tick(at(float64(s)))
			e.ObserveTraces(td)
		}
	}
	play(0, 900, false)
	play(900, 920, true)
	e.tracker.Observe(incident.Point{Series: 1, Time: stampNanos(920), Cadence: 10e9, Score: 2, LogP: -15, Kind: "high"}, func() incident.Subject {
		return incident.Subject{Series: "0000000000000001", Service: "cart", Metric: "latency", Statistic: "p99"}
	})
	first := func() incident.Suspect { return e.Incidents(incident.StateOpen)[0].Suspects[0] }
	require.Equal(t, "cart", first().Service, "nobody was asked yet")
	play(920, 970, true)
	s := first()
	assert.Equal(t, "mail", s.Service)
	assert.Equal(t, 1, s.Hops)
	require.NotEmpty(t, s.Causes)
	assert.Equal(t, "its send does what it never did", s.Causes[0].What)
	i := e.Incidents(incident.StateOpen)[0]
	assert.Contains(t, vocabulary.Account(&i, time.UTC), "Likely cause: mail (its send does what it never did).")
}

func TestDeeds(t *testing.T) {
	finding := trace.Finding{Operation: trace.Operation{Name: "pay"}}
	for want, ev := range map[string]topology.Evidence{
		"its calls to mail take longer on the way": {Aspect: topology.Network, Callee: "mail", Detail: finding},
		"its pay takes longer by itself":           {Aspect: topology.SelfTime, Detail: finding},
		"its pay does what it never did":           {Aspect: topology.Behaviour, Detail: finding},
		"its pay does other things than before":    {Aspect: topology.Mix, Detail: finding},
		"its p1 uses more cpu":                     {Aspect: topology.Resource, Detail: causes.Excess{Instance: "p1", Quantity: "cpu"}},
		"it behaves otherwise":                     {},
	} {
		assert.Equal(t, want, deed(&ev))
	}
}
