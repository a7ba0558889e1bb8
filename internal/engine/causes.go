// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"fmt"
	"math"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/auspex-otel/auspex/internal/causes"
	"github.com/auspex-otel/auspex/internal/evidence"
	"github.com/auspex-otel/auspex/internal/trace"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// causality is the engine's part of what may be to blame: who calls what, where
// services run, and what they do otherwise than before.
type causality struct {
	causes *causes.Accumulator
	// reached is the event time up to which it has been advanced, behind how many records in a row lay far before.
	reached   int64
	behind    int
	used      int64 // the latest event time at which an instance used something
	behaved   int64 // when behaviour was judged last
	exemplars exemplars
}

const (
	// ahead is how far before the clock of ticks event time may run until it is taken for wrong.
	ahead = int64(10 * time.Minute)
	// causesEvery is how often, in event time, evidence is advanced.
	causesEvery = int64(time.Second)
	// leastSelf is how many spans ten seconds need for the median of their self time or network time.
	leastSelf = 5
)

func (c *causality) reset() { *c = causality{causes: causes.New(causes.DefaultConfig())} }

// timely tells whether a time can be taken, and follows a clock that was set back for good.
func (e *Engine) timely(t int64) bool {
	if t > e.now.UnixNano()+ahead {
		return false
	}
	if t >= e.reached-ahead {
		e.behind = 0
		return true
	}
	if e.behind++; e.behind >= mostLate {
		e.causality.reset()
	}
	return false
}

// pass lets event time pass for the evidence, and judges what that closes.
func (e *Engine) pass(t int64) {
	if t < e.reached+causesEvery {
		return
	}
	e.reached = t
	e.causes.Advance(t)
	e.causes.Windows(e.selfTime, e.networkTime)
	e.behave(t)
}

// place notes where a resource runs, and what else it says.
func (e *Engine) place(service string, attributes pcommon.Map, t int64) {
	if t > 0 && e.timely(t) {
		e.causes.Runs(service, evidence.Place(attributes), t)
		e.noteResource(service, attributes, t)
	}
}

// callSpan gives a span to the evidence.
func (e *Engine) callSpan(service string, span ptrace.Span, t int64) {
	if e.timely(t) {
		s := evidence.Span(service, span)
		e.causes.Span(&s)
	}
}

// callLine gives a log record to the evidence.
func (e *Engine) callLine(service string, lr plog.LogRecord, template uint64, t int64) {
	if e.timely(t) {
		e.causes.Line(&causes.Line{Service: service, Trace: lr.TraceID(), Span: lr.SpanID(), Template: template, Time: t})
	}
}

// use gives what an instance uses to the evidence.
func (e *Engine) use(st *stream, v float64, t int64) {
	if !e.timely(t) || !(v >= 0 && v < math.MaxFloat64) {
		return
	}
	e.used = max(e.used, t)
	e.causes.Use(st.source.service.name, st.source.instance, st.quantity, v, t)
}

var medianStats = []statistic{statP50}

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

// packCauses adds the record of the evidence.
func (e *Engine) packCauses(p *packer) error {
	if e.reached == 0 {
		return nil
	}
	b, err := e.causes.AppendBinary(nil)
	if err != nil {
		return err
	}
	w := writer{b: p.record[:0]}
	w.int64(e.reached)
	w.int64(e.behaved)
	w.text(string(b))
	p.add(tagCauses, w.b)
	return nil
}

func (e *Engine) restoreCauses(record []byte) error {
	r := reader{b: record}
	e.reached, e.behaved = r.int64(), r.int64()
	if b := r.bytes(); r.err == nil {
		r.fail(e.causes.UnmarshalBinary(b))
	}
	if err := r.end(); err != nil {
		return fmt.Errorf("causes: %w", err)
	}
	return nil
}
