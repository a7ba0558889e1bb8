// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package spans

import (
	"math"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/auspex-otel/auspex/internal/engine/budget"
	"github.com/auspex-otel/auspex/internal/engine/judge"
	"github.com/auspex-otel/auspex/internal/engine/meter"
	"github.com/auspex-otel/auspex/internal/engine/window"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/trace"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

const (
	// maxOperations bounds the operations of one service, maxServices the services.
	maxOperations = 1000
	maxServices   = 10_000
	// warmUp is the number of closed windows with spans that a service needs before its behavior is judged.
	warmUp = 20
)

// service counts the spans of one service.
type service struct {
	name       string
	window     window.Window
	Closed     int // windows with calls that were closed, up to warmUp
	operations map[operationKey]*operation
	// own are the operations that have series, in the order of their keys; nil if that is not known.
	own []operationKey
}

// learned returns a lower bound of the number of calls that were learned.
func (s *service) learned() uint64 { return 4 * uint64(s.Closed) }

// operation finds or makes an operation, nil if there are too many.
func (c *Spans) operation(s *service, key operationKey, t int64) *operation {
	op := s.operations[key]
	if op == nil {
		if len(s.operations) >= maxOperations || c.room <= 0 {
			return nil // until the window closes, and old ones go
		}
		key.name = strings.Clone(key.name)
		op = &operation{past: window.NewCalls()}
		s.operations[key] = op
		c.room--
	}
	op.Last = max(op.Last, t)
	return op
}

// close judges the open window's calls, and begins the next one's.
func (c *Spans) close(s *service) {
	since, calls := s.window.End-int64(c.ttl), false
	for key, op := range s.operations {
		calls = calls || op.Calls > 0
		switch {
		case op.Last < since, c.room <= 0 && op.Windows < window.Established && op.Last < s.window.End-window.RareFor:
			delete(s.operations, key)
			s.own = nil
		case op.Calls > 0 && op.Windows < window.Established:
			if op.Windows++; op.Windows == window.Established {
				s.own = nil
			}
		}
	}
	if calls {
		s.Closed = min(s.Closed+1, warmUp)
	}
	if s.own == nil {
		for key, op := range s.operations {
			if op.Windows >= window.Established {
				s.own = append(s.own, key)
			}
		}
		slices.SortFunc(s.own, compareOperations)
	}
	for _, key := range s.own {
		c.closeOperation(s, key)
	}
	for _, op := range s.operations {
		op.Calls, op.Errors = 0, 0
		op.Seconds.Reset()
		op.witnesses.CloseWindow()
	}
}

const callUnit = "{call}"

var (
	callStats     = []meter.Statistic{meter.Count, meter.ErrorRatio}
	durationStats = []meter.Statistic{meter.P50, meter.P95, meter.P99}
)

// closeOperation judges the calls, errors and durations of one operation.
func (c *Spans) closeOperation(s *service, key operationKey) {
	op := s.operations[key]
	d := judge.Derived{
		Signal: budget.Traces, Service: s.name, Metric: vocabulary.MetricSpanCalls, Unit: callUnit, Statistics: callStats,
		Attributes: []judge.Attribute{{Key: vocabulary.AttrSpanKind, Value: key.kind.String()}, {Key: vocabulary.AttrSpanName, Value: key.name}},
		Context:    &source{c, s.name, key, op},
	}
	calls := c.judge.DeriveRatio(&d, s.window.End, op.Calls, &op.Empty, op.Errors, op.past.Failed.Exact(op.Errors, op.Calls))
	op.past.Failed.Learn(op.Errors, op.Calls)
	d.Metric, d.Unit, d.Statistics = vocabulary.MetricSpanDuration, "s", durationStats
	p50, p95, p99 := math.NaN(), math.NaN(), math.NaN()
	if op.Seconds.Sorted() {
		p50 = op.Seconds.Quantile(0.5)
	}
	if op.Seconds.Seen >= window.LeastP95 {
		p95 = op.Seconds.Quantile(0.95)
	}
	if op.Seconds.Seen >= window.LeastP99 {
		p99 = op.Seconds.Quantile(0.99)
	}
	durations := c.judge.Derive(&d, s.window.End, p50, p95, p99)
	op.mark = mark{}
	for _, judged := range [...]judge.Result{calls, durations} {
		for i := range judged.Series() {
			a, open := judged.Open(i)
			if !open || a.Statistic != meter.Count && a.Observed <= a.Expected {
				continue
			}
			if failed := a.Statistic == meter.ErrorRatio; !failed || op.mark.mark.Score == 0 { // all spans before those that failed
				reason := a.Metric + " " + a.Statistic.String() + " of this operation is not as expected"
				op.mark = mark{judge.Mark{Score: a.Score, Reason: reason}, failed}
			}
		}
	}
}

// source is the source of the calls and durations of one operation.
type source struct {
	spans     *Spans
	service   string
	key       operationKey
	operation *operation
}

// Describe adds the peer of the operation, and whether the series counts calls.
func (s *source) Describe(subject *incident.Subject) {
	subject.Counts = subject.Metric == vocabulary.MetricSpanCalls && subject.Statistic != meter.ErrorRatio.String()
	subject.Peer = s.spans.evidence.Peer(trace.Operation{Service: s.service, Name: s.key.name, Kind: trace.Kind(s.key.kind)})
}

// Traces yields the witnesses of the operation.
func (s *source) Traces(add func(pcommon.TraceID)) { s.operation.witnesses.Each(add) }
