// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/auspex-otel/auspex/internal/detect"
	"github.com/auspex-otel/auspex/internal/engine/clock"
	"github.com/auspex-otel/auspex/internal/engine/intake"
	"github.com/auspex-otel/auspex/internal/engine/window"
	"github.com/auspex-otel/auspex/internal/engine/witness"
	"github.com/auspex-otel/auspex/internal/series"
	"github.com/auspex-otel/auspex/internal/trace"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// SpanVerdict holds the score and the reason of a span that is anomalous or belongs to an
// anomalous operation. Otherwise both are zero.
type SpanVerdict struct {
	Score  float64
	Reason string
}

// Reasons of a span's own score.
const (
	ReasonSlow  = "slower than this operation is"
	ReasonError = "error in an operation that has none"
)

// ObserveTraces judges every span of a batch by its operation's past, learns and
// counts it. There is a verdict for each span, in the order of the batch. As
// with metrics, a batch that comes again gets the same and nothing is observed.
func (e *Engine) ObserveTraces(td ptrace.Traces) []SpanVerdict {
	td, deep := intake.Traces(td)
	key := intake.TracesKey(td)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.selfTick()
	e.refuseDeep(deep)
	if v, ok := e.recentSpans.Get(key); ok {
		return v
	}
	e.budget.Spend(e.now)
	verdicts := make([]SpanVerdict, 0, td.SpanCount())
	latest := int64(0)
	for _, rs := range td.ResourceSpans().All() {
		s, own := e.spansOf(vocabulary.Service(rs.Resource().Attributes())), int64(0)
		alpha := e.alphaOf(s.service, SignalTraces)
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				v, t := e.observeSpan(s, rs.Resource(), span, alpha)
				verdicts = append(verdicts, v)
				own = max(own, t)
			}
		}
		e.place(s.service, rs.Resource().Attributes(), own)
		latest = max(latest, own)
	}
	e.pass(latest)
	e.closeRounds()
	e.noteNews()
	e.recentSpans.Put(key, verdicts)
	return verdicts
}

// observeSpan takes one span of a service, at the time at which it ended. It returns
// the event time that the span proves, 0 if none: a span that did not end at a timely
// time is judged, and not counted.
func (e *Engine) observeSpan(s *spans, resource pcommon.Resource, span ptrace.Span, alpha float64) (SpanVerdict, int64) {
	t, began := nanos(span.EndTimestamp()), nanos(span.StartTimestamp())
	if t <= 0 || began <= 0 || began > t {
		e.refused[RefusedNoTimestamp]++
		return SpanVerdict{}, 0
	}
	failed, key := span.Status().Code() == ptrace.StatusCodeError, operationKey{span.Name(), span.Kind()}
	verdict, open := s.window.Admit(t, e.now)
	if verdict != clock.Timely {
		e.noteUntimely(verdict, series.Attributes(resource.Attributes()), s.service, t)
		if op := s.operations[key]; op != nil {
			return op.judge(float64(t-began)/1e9, failed, alpha), 0
		}
		return SpanVerdict{}, 0
	}
	if open > 0 {
		s.window.Through(open, func() { e.closeSpans(s) })
	}
	e.callSpan(s.service, span, t)
	op := e.operation(s, key, t)
	if op == nil {
		return SpanVerdict{}, t
	}
	v := op.judge(float64(t-began)/1e9, failed, alpha)
	op.learn(float64(t-began)/1e9, failed)
	op.witnesses.See(span.TraceID(), float64(t-began)/1e9, failed)
	if m := op.Mark; m.Score > v.Score && (!m.errors || failed) {
		v.Score, v.Reason = m.Score, m.Reason
	}
	if m := op.told; m.Score > v.Score && t <= m.until && (!m.errors || failed) {
		v.Score, v.Reason = m.Score, m.Reason
	}
	return v, t
}

// operationKey identifies an operation within its service.
type operationKey struct {
	name string
	kind ptrace.SpanKind
}

// operation counts the calls of one operation of a service.
type operation struct {
	Calls, Errors int           // in the open window
	Seconds       window.Values // in the open window
	Windows       int           // in which it was called, up to established
	Empty         int           // windows since the last call
	Last          int64
	Mark          spanMark
	past          window.Calls
	witnesses     witness.Traces
	told          toldMark
}

// spanMark is the mark of the spans of an anomalous operation. If errors is set, it applies only to failed spans.
type spanMark struct {
	mark
	errors bool
}

// toldMark is the mark of the spans of an operation for an anomaly of another series than
// its calls and durations: a behavior change of its service, or its time between client
// and server. Every window renews it. It lasts until an event time, in nanoseconds, and
// is lost on restart.
type toldMark struct {
	spanMark
	until int64
}

// tell marks the spans of an operation for two windows from event time t.
func (e *Engine) tell(op trace.Operation, m spanMark, t int64) {
	if o := e.operationOf(op); o != nil {
		o.told = toldMark{m, t + 2*window.Length}
	}
}

// judge scores one call by the calls before it.
func (op *operation) judge(seconds float64, failed bool, alpha float64) (v SpanVerdict) {
	slow, failure := op.past.Judge(seconds, failed)
	if s := detect.Score(min(slow, mostSurprise), alpha); s >= 1 {
		v = SpanVerdict{Score: s, Reason: ReasonSlow}
	}
	if s := detect.Score(min(failure, mostSurprise), alpha); s >= 1 && s > v.Score {
		v = SpanVerdict{Score: s, Reason: ReasonError}
	}
	return v
}

// learn takes one call in.
func (op *operation) learn(seconds float64, failed bool) {
	op.Calls++
	op.Seconds.Add(seconds)
	if failed {
		op.Errors++
	}
	op.past.Learn(seconds)
}

// serviceID returns the key of a service in the tables of logs and spans.
func serviceID(name string) series.ID { return series.Text(name) }

// spansOf finds or makes the counts of a service.
func (e *Engine) spansOf(service string) *spans {
	id := serviceID(service)
	if s := e.spans.Get(id, e.now); s != nil {
		return s
	}
	fresh := spans{service: strings.Clone(service), operations: map[operationKey]*operation{}}
	if s := e.spans.Add(id, 0, series.Size{Weight: 1}, e.now, fresh); s != nil {
		return s
	}
	return &fresh // there is no room to keep it
}

// tickSpans closes windows that no span closes.
func (e *Engine) tickSpans(now time.Time) {
	e.spans.Age(now)
	e.operations = e.memory.Entries()
	for _, s := range e.spans.All() {
		s.window.Tick(now, e.watermarkOf(s.service), func() { e.closeSpans(s) })
		e.operations -= len(s.operations)
	}
}
