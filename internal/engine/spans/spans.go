// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package spans judges spans by the past of their operation, counts them in windows of event
// time, and has the counts and durations judged.
package spans

import (
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/auspex-otel/auspex/internal/detect"
	"github.com/auspex-otel/auspex/internal/engine/budget"
	"github.com/auspex-otel/auspex/internal/engine/clock"
	"github.com/auspex-otel/auspex/internal/engine/judge"
	"github.com/auspex-otel/auspex/internal/engine/pace"
	"github.com/auspex-otel/auspex/internal/engine/window"
	"github.com/auspex-otel/auspex/internal/engine/witness"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/series"
	"github.com/auspex-otel/auspex/internal/trace"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// Verdict holds the score and the reason of a span that is anomalous or belongs to an
// anomalous operation. Otherwise both are zero.
type Verdict struct {
	Score  float64
	Reason string
}

// Reasons of a span's own score.
const (
	ReasonSlow  = "slower than this operation is"
	ReasonError = "error in an operation that has none"
)

// Evidence takes what spans show about causes. Package causes implements it.
type Evidence interface {
	// Resource takes the attributes of a resource of a service at an event time, in nanoseconds.
	Resource(service string, attributes pcommon.Map, t int64)
	// Span takes a span of a service at its end.
	Span(service string, span ptrace.Span, t int64)
	// Peer returns the peer of an operation, or the zero Party.
	Peer(trace.Operation) incident.Party
}

// Spans counts the spans of all services by operation. It is not safe for concurrent use.
type Spans struct {
	judge    *judge.Judge
	evidence Evidence
	ttl      time.Duration // of operations without spans

	services *series.Table[service]
	// entries bounds the operations that are counted; room is the number that may be added.
	entries, room int
}

// New returns a Spans without operations, which has at most so many entries. Services
// and operations without spans for ttl are forgotten.
func New(j *judge.Judge, evidence Evidence, ttl time.Duration, entries int) *Spans {
	c := &Spans{judge: j, evidence: evidence, ttl: ttl, entries: entries, room: entries}
	c.services = series.NewTable[service](maxServices, ttl)
	c.services.Learned, c.services.Stale = (*service).learned, func(*service) time.Duration { return pace.Stale(0) }
	return c
}

// SetEntries bounds the number of operations that are counted.
func (c *Spans) SetEntries(n int) { c.entries, c.room = n, min(c.room, n) }

// Observe judges every span of a batch by its operation's past, learns it, and
// counts it. It returns a verdict for each span, in the order of the batch, and the
// latest event time that a span proves, in nanoseconds, 0 if none.
func (c *Spans) Observe(td ptrace.Traces) (verdicts []Verdict, latest int64) {
	verdicts = make([]Verdict, 0, td.SpanCount())
	for _, rs := range td.ResourceSpans().All() {
		s, own := c.serviceOf(vocabulary.Service(rs.Resource().Attributes())), int64(0)
		threshold := detect.Threshold(c.judge.Alpha(s.name, budget.Traces))
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				v, t := c.observe(s, rs.Resource(), span, threshold)
				verdicts = append(verdicts, v)
				own = max(own, t)
			}
		}
		c.evidence.Resource(s.name, rs.Resource().Attributes(), own)
		latest = max(latest, own)
	}
	return verdicts, latest
}

// observe takes one span of a service, at the time at which it ended. It returns
// the event time that the span proves, 0 if none: a span that did not end at a timely
// time is judged, and not counted.
func (c *Spans) observe(s *service, resource pcommon.Resource, span ptrace.Span, threshold float64) (Verdict, int64) {
	t, began := int64(span.EndTimestamp()), int64(span.StartTimestamp())
	if t <= 0 || began <= 0 || began > t {
		c.judge.Refuse(judge.RefusedNoTimestamp, 1)
		return Verdict{}, 0
	}
	failed, key := span.Status().Code() == ptrace.StatusCodeError, operationKey{span.Name(), span.Kind()}
	verdict, open := s.window.Admit(t, c.judge.Now())
	if verdict != clock.Timely {
		c.judge.NoteUntimely(verdict, series.Attributes(resource.Attributes()), s.name, t)
		if op := s.operations[key]; op != nil {
			return op.judge(float64(t-began)/1e9, failed, threshold), 0
		}
		return Verdict{}, 0
	}
	if open > 0 {
		s.window.Through(open, func() { c.close(s) })
	}
	c.evidence.Span(s.name, span, t)
	op := c.operation(s, key, t)
	if op == nil {
		return Verdict{}, t
	}
	v := op.judge(float64(t-began)/1e9, failed, threshold)
	op.learn(float64(t-began)/1e9, failed)
	op.witnesses.See(span.TraceID(), float64(t-began)/1e9, failed)
	op.mark.apply(failed, &v)
	if t <= op.toldUntil {
		op.told.apply(failed, &v)
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
	Windows       int           // in which it was called, up to window.Established
	Empty         int           // windows since the last call
	Last          int64
	mark          mark
	past          window.Calls
	witnesses     witness.Traces
	// told is the mark for an anomaly of another series than the calls and durations: a behavior
	// change of the service, or the time between client and server. Every window renews it. It
	// lasts until event time toldUntil, in nanoseconds. Only a complete snapshot contains it.
	told      mark
	toldUntil int64
}

// mark is the mark for the spans of an anomalous operation. If failed is set, it applies only to failed spans.
type mark struct {
	mark   judge.Mark
	failed bool
}

// apply writes the mark to the verdict of a span, unless that has a higher score.
func (m *mark) apply(failed bool, v *Verdict) {
	if m.mark.Score > v.Score && (!m.failed || failed) {
		v.Score, v.Reason = m.mark.Score, m.mark.Reason
	}
}

// judge scores one call by the calls before it.
func (op *operation) judge(seconds float64, failed bool, threshold float64) (v Verdict) {
	slow, failure := op.past.Judge(seconds, failed)
	if s := detect.Score(min(slow, judge.MostSurprise), threshold); s >= 1 {
		v = Verdict{Score: s, Reason: ReasonSlow}
	}
	if s := detect.Score(min(failure, judge.MostSurprise), threshold); s >= 1 && s > v.Score {
		v = Verdict{Score: s, Reason: ReasonError}
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

// serviceOf finds or makes the counts of a service.
func (c *Spans) serviceOf(name string) *service {
	id := series.Text(name)
	if s := c.services.Get(id, c.judge.Now()); s != nil {
		return s
	}
	fresh := service{name: strings.Clone(name), operations: map[operationKey]*operation{}}
	if s := c.services.Add(id, 0, series.Size{Weight: 1}, c.judge.Now(), fresh); s != nil {
		return s
	}
	return &fresh // there is no room to keep it
}

// Tick ages operations, and closes windows that no span closes.
func (c *Spans) Tick(now time.Time) {
	c.services.Age(now)
	c.room = c.entries
	for _, s := range c.services.All() {
		s.window.Tick(now, c.judge.Watermark(s.name), func() { c.close(s) })
		c.room -= len(s.operations)
	}
}
