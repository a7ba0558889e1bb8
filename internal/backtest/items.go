// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package backtest

import (
	"cmp"
	"container/heap"
	"math"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// item is one span, log record or data point, with the time at which it could be known.
type item struct {
	time     int64
	place    int // in the order of reading
	resource pcommon.Resource
	span     ptrace.Span
	log      plog.LogRecord
	metric   pmetric.Metric
	point    pmetric.NumberDataPoint
	signal   signal
}

// items is a heap in event time: a batch may hold a whole minute, and what it
// holds must not be seen before what other batches hold of that minute.
type items struct {
	list []item
	read int
}

func (r *items) Len() int { return len(r.list) }
func (r *items) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(r.list[i].time, r.list[j].time), cmp.Compare(r.list[i].place, r.list[j].place)) < 0
}
func (r *items) Swap(i, j int) { r.list[i], r.list[j] = r.list[j], r.list[i] }
func (r *items) Push(x any)    { r.list = append(r.list, x.(item)) }
func (r *items) Pop() any {
	last := len(r.list) - 1
	x := r.list[last]
	r.list[last] = item{}
	r.list = r.list[:last]
	return x
}

func (r *items) push(x item) {
	x.place = r.read
	r.read++
	heap.Push(r, x)
}

// until takes all records from before a time.
func (r *items) until(t int64, take func(*item)) {
	for len(r.list) > 0 && r.list[0].time < t {
		x := heap.Pop(r).(item)
		take(&x)
	}
}

// add takes the records of a batch. A span is known when it has ended.
func (r *items) add(m message) {
	switch m.signal {
	case signalTraces:
		for _, rs := range m.traces.ResourceSpans().All() {
			for _, ss := range rs.ScopeSpans().All() {
				for _, s := range ss.Spans().All() {
					r.push(item{time: int64(max(s.EndTimestamp(), s.StartTimestamp())), signal: signalTraces, resource: rs.Resource(), span: s})
				}
			}
		}
	case signalLogs:
		for _, rl := range m.logs.ResourceLogs().All() {
			for _, sl := range rl.ScopeLogs().All() {
				for _, l := range sl.LogRecords().All() {
					r.push(item{time: logTime(l), signal: signalLogs, resource: rl.Resource(), log: l})
				}
			}
		}
	default:
		for _, rm := range m.metrics.ResourceMetrics().All() {
			for _, sm := range rm.ScopeMetrics().All() {
				for _, metric := range sm.Metrics().All() {
					if metric.Type() != pmetric.MetricTypeGauge {
						continue
					}
					for _, p := range metric.Gauge().DataPoints().All() {
						r.push(item{time: int64(p.Timestamp()), signal: signalMetrics, resource: rm.Resource(), metric: metric, point: p})
					}
				}
			}
		}
	}
}

func logTime(l plog.LogRecord) int64 {
	if t := l.Timestamp(); t != 0 {
		return int64(t)
	}
	return int64(l.ObservedTimestamp())
}

func earliestLog(ld plog.Logs) int64 {
	least := int64(math.MaxInt64)
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, l := range sl.LogRecords().All() {
				if t := logTime(l); t > 0 {
					least = min(least, t)
				}
			}
		}
	}
	return least
}

func earliestSpan(td ptrace.Traces) int64 {
	least := int64(math.MaxInt64)
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, s := range ss.Spans().All() {
				if t := int64(s.StartTimestamp()); t > 0 {
					least = min(least, t)
				}
			}
		}
	}
	return least
}
