// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package causes keeps the evidence for ranking suspects: which service calls which,
// where services run, what was changed in them, and how their behavior changed.
package causes

import (
	"math"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/auspex-otel/auspex/internal/causes"
	"github.com/auspex-otel/auspex/internal/engine/budget"
	"github.com/auspex-otel/auspex/internal/engine/clock"
	"github.com/auspex-otel/auspex/internal/engine/judge"
	"github.com/auspex-otel/auspex/internal/engine/meter"
	"github.com/auspex-otel/auspex/internal/engine/snapshot"
	"github.com/auspex-otel/auspex/internal/evidence"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/state"
	"github.com/auspex-otel/auspex/internal/topology"
	"github.com/auspex-otel/auspex/internal/trace"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

const (
	// causesEvery is the interval at which evidence is advanced, in nanoseconds of event time.
	causesEvery = int64(time.Second)
	// leastSelf is the least number of spans in ten seconds for a median of self time or network time.
	leastSelf = 5
)

// Operations knows the operations whose spans are counted. Package spans implements it.
type Operations interface {
	// Warm returns the services with enough spans that their behavior can be judged, in order.
	Warm() []string
	// Established reports whether an operation has series.
	Established(trace.Operation) bool
	// Traces yields example traces of an operation.
	Traces(of trace.Operation, add func(pcommon.TraceID))
	// Mark marks the spans of an operation, or only those that failed, for a while from event time t.
	Mark(of trace.Operation, m judge.Mark, failed bool, t int64)
}

// Causes holds the evidence. It is not safe for concurrent use.
type Causes struct {
	judge      *judge.Judge
	operations Operations
	ttl        time.Duration // of services without telemetry

	accumulator *causes.Accumulator
	mark        clock.Mark // of what was admitted
	// reached is the event time up to which the evidence has been advanced.
	reached int64
	used    int64 // the latest event time at which an instance used something
	behaved int64 // when behavior was judged last
	links   links
}

// New returns a Causes without evidence. Services without telemetry for ttl are forgotten.
// Connect must be called before anything else.
func New(j *judge.Judge, ttl time.Duration) *Causes {
	return &Causes{
		judge: j, ttl: ttl, accumulator: causes.New(causes.DefaultConfig()),
		links: links{namespaces: map[string]string{}, heard: map[string]heard{}},
	}
}

// Connect sets the operations whose spans are counted.
func (c *Causes) Connect(o Operations) { c.operations = o }

// Graph returns the graph of services and what they run on.
func (c *Causes) Graph() *topology.Graph { return c.accumulator.Graph() }

// Suspects ranks the services that may have caused what began at from, the most
// suspicious first, by the evidence until now.
func (c *Causes) Suspects(from, until time.Time) []topology.Suspect {
	return c.accumulator.Suspects(from.UnixNano(), until.UnixNano())
}

// admit reports whether an event time can be used as evidence.
func (c *Causes) admit(t int64) bool { return c.mark.Admit(t, c.judge.Now()) == clock.Timely }

// Tick lets the evidence start over if it lies ahead of the clock of ticks, because that
// clock was set back. What calls what stays known. Then it updates the relations of
// services in the tracker of incidents, and the causes of young incidents.
func (c *Causes) Tick(now time.Time) {
	if clock.IsAhead(c.reached, now) {
		c.accumulator.Restart()
		c.mark, c.reached, c.used, c.behaved = clock.Mark{}, 0, 0, 0
	}
	c.updateLinks(now)
}

// PassUsed is Pass for the latest event time at which an instance used something.
func (c *Causes) PassUsed() { c.Pass(c.used) }

// Pass lets event time pass for the evidence, and judges what that closes.
func (c *Causes) Pass(t int64) {
	if t < c.reached+causesEvery || !c.admit(t) {
		return
	}
	c.reached = t
	c.accumulator.Advance(t)
	c.accumulator.Windows(c.selfTime, c.networkTime)
	c.behave(t)
}

// Resource notes where a resource runs, and what else it says.
func (c *Causes) Resource(service string, attributes pcommon.Map, t int64) {
	if t > 0 && c.admit(t) {
		c.accumulator.Runs(service, evidence.Place(attributes), t)
		c.noteResource(service, attributes, t)
	}
}

// Span gives a span to the evidence.
func (c *Causes) Span(service string, span ptrace.Span, t int64) {
	if c.admit(t) {
		s := evidence.Span(service, span)
		c.accumulator.Span(&s)
	}
}

// Line gives a log record to the evidence.
func (c *Causes) Line(service string, lr plog.LogRecord, template uint64, t int64) {
	if c.admit(t) {
		c.accumulator.Line(&causes.Line{Service: service, Trace: lr.TraceID(), Span: lr.SpanID(), Template: template, Time: t})
	}
}

// Use gives the value of a quantity that an instance uses to the evidence.
func (c *Causes) Use(service, instance, quantity string, v float64, t int64) {
	if !c.admit(t) || !(v >= 0 && v < math.MaxFloat64) {
		return
	}
	c.used = max(c.used, t)
	c.accumulator.Use(service, instance, quantity, v, t)
}

// Peer returns the peer of an operation, or the zero Party.
func (c *Causes) Peer(op trace.Operation) incident.Party {
	if id, ok := c.accumulator.Peer(op); ok {
		return incident.Party{Kind: incident.KindOf(id.Kind), Name: id.Name}
	}
	return incident.Party{}
}

var medianStats = []meter.Statistic{meter.P50}

// selfTime judges how long an operation takes, its children apart. Where it has none that is its duration.
func (c *Causes) selfTime(w *trace.Window) {
	if w.Name == "" || w.Self.Count() < leastSelf || w.Self.Quantile(0.5) >= w.Duration.Quantile(0.5) {
		return
	}
	if !c.operations.Established(w.Operation) {
		return
	}
	t := w.Start + trace.WindowLength
	judged := c.judge.Derive(&judge.Derived{
		Signal: budget.Traces, Service: w.Service, Metric: vocabulary.MetricSpanSelfTime, Unit: "s", Statistics: medianStats,
		Attributes: []judge.Attribute{{Key: vocabulary.AttrSpanKind, Value: ptrace.SpanKind(w.Kind).String()}, {Key: vocabulary.AttrSpanName, Value: w.Name}},
		Context:    &source{causes: c, operation: w.Operation},
	}, t, w.Self.Quantile(0.5)/1e9)
	if score := slow(judged); score > 0 {
		c.operations.Mark(w.Operation, judge.Mark{Score: score, Reason: vocabulary.MetricSpanSelfTime + " of this operation is not as expected"}, false, t)
	}
}

// networkTime judges how long calls from one operation to another are between the two.
func (c *Causes) networkTime(w *trace.EdgeWindow) {
	if w.Network.Count() < leastSelf {
		return
	}
	if !c.operations.Established(w.Callee) {
		return
	}
	seconds := w.Network.Quantile(0.5) / 1e9
	if math.IsNaN(seconds) {
		return
	}
	t := w.Start + trace.WindowLength
	judged := c.judge.Derive(&judge.Derived{
		Signal: budget.Traces, Service: w.Caller.Service, Metric: vocabulary.MetricSpanNetworkTime, Unit: "s", Statistics: medianStats,
		Attributes: []judge.Attribute{
			{Key: vocabulary.AttrPeerService, Value: w.Callee.Service}, {Key: vocabulary.AttrPeerOperation, Value: w.Callee.Name}, {Key: vocabulary.AttrSpanName, Value: w.Caller.Name},
		},
	}, t, seconds)
	if score := slow(judged); score > 0 {
		reason := vocabulary.MetricSpanNetworkTime + " between " + w.Caller.Service + " and " + w.Callee.Service + " is not as expected"
		m := judge.Mark{Score: score, Reason: reason}
		c.operations.Mark(w.Caller, m, false, t)
		c.operations.Mark(w.Callee, m, false, t)
	}
}

// slow returns the score of the only series of a stream of times while its anomaly is open and they are long, or 0.
func slow(judged judge.Result) float64 {
	if judged.Series() == 0 {
		return 0
	}
	a, open := judged.Open(0)
	if !open || a.Observed <= a.Expected {
		return 0
	}
	return a.Score
}

// AddRecord adds the evidence to a snapshot, if there is any.
func (c *Causes) AddRecord(w *snapshot.Writer) error {
	if c.reached == 0 && !w.Complete() {
		return nil
	}
	return w.Add(snapshot.TagCauses, c.persist)
}

// Restore reads a record if its tag is that of causes. Otherwise it returns false.
func (c *Causes) Restore(tag byte, codec *state.Codec) (bool, error) {
	if tag != snapshot.TagCauses {
		return false, nil
	}
	if c.persist(codec); !codec.Complete() {
		c.mark = clock.At(c.reached, c.judge.Now())
	}
	return true, nil
}

func (c *Causes) persist(codec *state.Codec) {
	codec.Int64(&c.reached)
	codec.Int64(&c.behaved)
	codec.Section(c.accumulator.State)
	if codec.Complete() {
		c.mark.State(codec)
		codec.Int64(&c.used)
		c.links.persist(codec)
	}
}
