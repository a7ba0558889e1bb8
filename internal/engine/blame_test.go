// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// caller plays a shop of two services: five times a second cart calls mail.
type caller struct {
	engine *Engine
	id     uint64
}

func (c *caller) play(from, to int, cartFails, mailFails, mailComes bool) {
	for s := from; s < to; s++ {
		td := ptrace.NewTraces()
		for n := range 5 {
			trace := [16]byte{1, byte(n), byte(s), byte(s >> 8)}
			cart := c.add(td, trace, call{at: float64(s), seconds: .2, service: "cart", name: "GET /", failed: cartFails}, [8]byte{})
			if mailComes {
				c.add(td, trace, call{at: float64(s), seconds: .1, service: "mail", name: "send", failed: mailFails}, cart)
			}
		}
		c.engine.Tick(at(float64(s)))
		c.engine.ObserveTraces(td)
	}
}

func (c *caller) add(td ptrace.Traces, trace [16]byte, of call, parent [8]byte) (id [8]byte) {
	c.id++
	addCall(td, of, c.id)
	span := td.ResourceSpans().At(td.ResourceSpans().Len() - 1).ScopeSpans().At(0).Spans().At(0)
	span.SetTraceID(trace)
	span.SetParentSpanID(parent)
	return span.SpanID()
}

// Users see cart. It calls mail, none of whose series is anomalous.
func TestIncidentNamesWhoBehavesOtherwise(t *testing.T) {
	for want, fault := range map[string]func(c *caller, from, to int){
		"its send shows a new behavior": func(c *caller, from, to int) { c.play(from, to, false, true, true) },
		"it sends no telemetry":         func(c *caller, from, to int) { c.play(from, to, true, false, false) },
	} {
		t.Run(want, func(t *testing.T) {
			e := newEngine()
			c := &caller{engine: e}
			c.play(0, 900, false, false, true)
			fault(c, 900, 920)
			e.judge.Tracker().Observe(incident.Point{Series: 1, Time: stampNanos(920), Cadence: 10e9, Score: 2, Surprise: 15, Kind: "high"}, func() incident.Subject {
				return incident.Subject{Series: "0000000000000001", Service: "cart", Metric: "latency", Statistic: "p99"}
			})
			open := func() *incident.Incident { return &e.Incidents(incident.StateOpen)[0] }
			require.Equal(t, "cart", open().Suspects[0].Service, "before the evidence of the spans")
			fault(c, 920, 970)
			s := open().Suspects[0]
			assert.Equal(t, "mail", s.Service)
			assert.Equal(t, 1, s.Hops)
			require.NotEmpty(t, s.Causes)
			assert.Equal(t, want, s.Causes[0].What)
			assert.Contains(t, vocabulary.Account(open(), time.UTC), "Likely cause: mail ("+want+").")
		})
	}
}
