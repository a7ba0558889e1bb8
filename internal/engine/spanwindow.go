// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/auspex-otel/auspex/internal/engine/meter"
	"github.com/auspex-otel/auspex/internal/engine/window"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

const (
	// rareFor is the silence after which an operation without series is forgotten if there is no room for others, nanoseconds.
	rareFor = int64(time.Hour)
	// maxOperations bounds the operations of one service, maxSpanServices the services.
	maxOperations   = 1000
	maxSpanServices = 10_000
	// leastP95 and leastP99 are the least numbers of calls in a window for these quantiles: with fewer, they are its slowest call.
	leastP95, leastP99 = 20, 100
)

// spans counts the spans of one service.
type spans struct {
	service    string
	window     window.Window
	Closed     int // windows with calls that were closed, up to behaviorWarmUp
	operations map[operationKey]*operation
	// own are the operations that have series, in the order of their keys; nil if that is not known.
	own []operationKey
}

// learned returns a lower bound of the number of calls that were learned.
func (s *spans) learned() uint64 { return 4 * uint64(s.Closed) }

// operation finds or makes an operation, nil if there are too many.
func (e *Engine) operation(s *spans, key operationKey, t int64) *operation {
	op := s.operations[key]
	if op == nil {
		if len(s.operations) >= maxOperations || e.operations <= 0 {
			return nil // until the window closes, and old ones go
		}
		key.name = strings.Clone(key.name)
		op = &operation{past: window.NewCalls()}
		s.operations[key] = op
		e.operations--
	}
	op.Last = max(op.Last, t)
	return op
}

// closeSpans judges the open window's calls, and begins the next one's.
func (e *Engine) closeSpans(s *spans) {
	since, calls := s.window.End-int64(e.cfg.SeriesTTL), false
	for key, op := range s.operations {
		calls = calls || op.Calls > 0
		switch {
		case op.Last < since, e.operations <= 0 && op.Windows < established && op.Last < s.window.End-rareFor:
			delete(s.operations, key)
			s.own = nil
		case op.Calls > 0 && op.Windows < established:
			if op.Windows++; op.Windows == established {
				s.own = nil
			}
		}
	}
	if calls {
		s.Closed = min(s.Closed+1, behaviorWarmUp)
	}
	if s.own == nil {
		for key, op := range s.operations {
			if op.Windows >= established {
				s.own = append(s.own, key)
			}
		}
		slices.SortFunc(s.own, compareOperations)
	}
	for _, key := range s.own {
		e.closeOperation(s, key)
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
func (e *Engine) closeOperation(s *spans, key operationKey) {
	op := s.operations[key]
	d := derived{
		signal: SignalTraces, service: s.service, metric: vocabulary.MetricSpanCalls, unit: callUnit, stats: callStats,
		attributes: []attribute{{vocabulary.AttrSpanKind, key.kind.String()}, {vocabulary.AttrSpanName, key.name}},
		exemplars:  exemplars{op: op},
	}
	calls := e.deriveRatio(&d, s.window.End, op.Calls, &op.Empty, op.Errors, op.past.Failed.Exact(op.Errors, op.Calls))
	op.past.Failed.Learn(op.Errors, op.Calls)
	d.metric, d.unit, d.stats = vocabulary.MetricSpanDuration, "s", durationStats
	p50, p95, p99 := math.NaN(), math.NaN(), math.NaN()
	if op.Seconds.Sorted() {
		p50 = op.Seconds.Quantile(0.5)
	}
	if op.Seconds.Seen >= leastP95 {
		p95 = op.Seconds.Quantile(0.95)
	}
	if op.Seconds.Seen >= leastP99 {
		p99 = op.Seconds.Quantile(0.99)
	}
	durations := e.derive(&d, s.window.End, p50, p95, p99)
	op.Mark = spanMark{}
	for _, st := range [...]*stream{calls, durations} {
		if st == nil {
			continue
		}
		for i := range st.series {
			t := &st.series[i]
			if !e.tracker.Open(uint64(t.id)) || t.stat != meter.Count && t.last.observed <= t.last.expected {
				continue
			}
			if failed := t.stat == meter.ErrorRatio; !failed || op.Mark.Score == 0 { // all spans before those that failed
				reason := t.name(st) + " of this operation is not as expected"
				op.Mark = spanMark{mark{Score: max(1, t.last.score), Reason: reason}, failed}
			}
		}
	}
}

// name returns the metric and the statistic of a series.
func (s *tracked) name(st *stream) string { return st.metric + " " + s.stat.String() }
