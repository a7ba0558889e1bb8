// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"math"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/auspex-otel/auspex/internal/causes"
	"github.com/auspex-otel/auspex/internal/engine/clock"
	"github.com/auspex-otel/auspex/internal/engine/meter"
	"github.com/auspex-otel/auspex/internal/engine/snapshot"
	"github.com/auspex-otel/auspex/internal/evidence"
	"github.com/auspex-otel/auspex/internal/state"
	"github.com/auspex-otel/auspex/internal/trace"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// causality holds the engine's evidence for ranking suspects: which service calls
// which, where services run, and their behavior changes.
type causality struct {
	causes *causes.Accumulator
	mark   clock.Mark // of what was admitted
	// reached is the event time up to which it has been advanced.
	reached int64
	used    int64 // the latest event time at which an instance used something
	behaved int64 // when behavior was judged last
}

const (
	// causesEvery is the interval at which evidence is advanced, in nanoseconds of event time.
	causesEvery = int64(time.Second)
	// leastSelf is the least number of spans in ten seconds for a median of self time or network time.
	leastSelf = 5
)

func newCausality() causality { return causality{causes: causes.New(causes.DefaultConfig())} }

// admit reports whether an event time can be used as evidence.
func (c *causality) admit(t int64, now time.Time) bool { return c.mark.Admit(t, now) == clock.Timely }

// turnBack has the evidence start over where it lies ahead of the clock of ticks, because
// that clock was set back. What calls what stays known.
func (c *causality) turnBack(now time.Time) {
	if clock.IsAhead(c.reached, now) {
		c.causes.Restart()
		*c = causality{causes: c.causes}
	}
}

// pass lets event time pass for the evidence, and judges what that closes.
func (e *Engine) pass(t int64) {
	if t < e.causality.reached+causesEvery || !e.causality.admit(t, e.now) {
		return
	}
	e.causality.reached = t
	e.causality.causes.Advance(t)
	e.causality.causes.Windows(e.selfTime, e.networkTime)
	e.behave(t)
}

// place notes where a resource runs, and what else it says.
func (e *Engine) place(service string, attributes pcommon.Map, t int64) {
	if t > 0 && e.causality.admit(t, e.now) {
		e.causality.causes.Runs(service, evidence.Place(attributes), t)
		e.noteResource(service, attributes, t)
	}
}

// callSpan gives a span to the evidence.
func (e *Engine) callSpan(service string, span ptrace.Span, t int64) {
	if e.causality.admit(t, e.now) {
		s := evidence.Span(service, span)
		e.causality.causes.Span(&s)
	}
}

// callLine gives a log record to the evidence.
func (e *Engine) callLine(service string, lr plog.LogRecord, template uint64, t int64) {
	if e.causality.admit(t, e.now) {
		e.causality.causes.Line(&causes.Line{Service: service, Trace: lr.TraceID(), Span: lr.SpanID(), Template: template, Time: t})
	}
}

// use gives what an instance uses to the evidence.
func (e *Engine) use(st *stream, v float64, t int64) {
	if !e.causality.admit(t, e.now) || !(v >= 0 && v < math.MaxFloat64) {
		return
	}
	e.causality.used = max(e.causality.used, t)
	e.causality.causes.Use(st.resource.service.name, st.resource.instance, st.quantity, v, t)
}

var medianStats = []meter.Statistic{meter.P50}

// selfTime judges how long an operation takes, its children apart. Where it has none that is its duration.
func (e *Engine) selfTime(w *trace.Window) {
	if w.Name == "" || w.Self.Count() < leastSelf || w.Self.Quantile(0.5) >= w.Duration.Quantile(0.5) {
		return
	}
	if op := e.operationOf(w.Operation); op == nil || op.Windows < established {
		return
	}
	t := w.Start + trace.WindowLength
	st := e.derive(&derived{
		signal: SignalTraces, service: w.Service, metric: vocabulary.MetricSpanSelfTime, unit: "s", stats: medianStats,
		attributes: []attribute{{vocabulary.AttrSpanKind, ptrace.SpanKind(w.Kind).String()}, {vocabulary.AttrSpanName, w.Name}},
	}, t, w.Self.Quantile(0.5)/1e9)
	if score := e.slow(st); score > 0 {
		e.tell(w.Operation, spanMark{mark: mark{Score: score, Reason: vocabulary.MetricSpanSelfTime + " of this operation is not as expected"}}, t)
	}
}

// networkTime judges how long calls from one operation to another are between the two.
func (e *Engine) networkTime(w *trace.EdgeWindow) {
	if w.Network.Count() < leastSelf {
		return
	}
	if op := e.operationOf(w.Callee); op == nil || op.Windows < established {
		return
	}
	seconds := w.Network.Quantile(0.5) / 1e9
	if math.IsNaN(seconds) {
		return
	}
	t := w.Start + trace.WindowLength
	st := e.derive(&derived{
		signal: SignalTraces, service: w.Caller.Service, metric: vocabulary.MetricSpanNetworkTime, unit: "s", stats: medianStats,
		attributes: []attribute{
			{vocabulary.AttrPeerService, w.Callee.Service}, {vocabulary.AttrPeerOperation, w.Callee.Name}, {vocabulary.AttrSpanName, w.Caller.Name},
		},
	}, t, seconds)
	if score := e.slow(st); score > 0 {
		reason := vocabulary.MetricSpanNetworkTime + " between " + w.Caller.Service + " and " + w.Callee.Service + " is not as expected"
		m := spanMark{mark: mark{Score: score, Reason: reason}}
		e.tell(w.Caller, m, t)
		e.tell(w.Callee, m, t)
	}
}

// slow returns the score of the only series of a stream of times while its anomaly is open and they are long, or 0.
func (e *Engine) slow(st *stream) float64 {
	if st == nil {
		return 0
	}
	s := &st.series[0]
	if !e.tracker.Open(uint64(s.id)) || s.last.observed <= s.last.expected {
		return 0
	}
	return max(1, s.last.score)
}

// operationOf returns what is counted of an operation, or nil.
func (e *Engine) operationOf(op trace.Operation) *operation {
	if s, _ := e.spans.Peek(serviceID(op.Service)); s != nil {
		return s.operations[operationKey{op.Name, ptrace.SpanKind(op.Kind)}]
	}
	return nil
}

// addCausesRecord adds the evidence, if there is any.
func (e *Engine) addCausesRecord(w *snapshot.Writer) error {
	if e.causality.reached == 0 {
		return nil
	}
	return w.Add(tagCauses, e.causality.persist)
}

func (c *causality) persist(codec *state.Codec) {
	codec.Int64(&c.reached)
	codec.Int64(&c.behaved)
	codec.Part(c.causes)
}
