// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package replay

import (
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/auspex-otel/auspex/internal/datapoints"
)

// pieceLength is the duration of a piece of log records or spans, in nanoseconds.
const pieceLength = int64(5e9)

// piece is a batch of data points, or the log records or spans of one batch within pieceLength. A collector receives
// batches of about that size, while a file may have a whole minute in one.
type piece struct {
	due    int64 // event time at which a collector would have received it
	signal Signal
	// metrics holds a batch with points.
	metrics pmetric.Metrics
	points  int
	traces  ptrace.Traces
	logs    plog.Logs
}

// pieces holds the pieces that are not observed yet, so that the records of all batches are observed in event time.
type pieces struct {
	Queue[*piece]
	read int
}

// until passes all pieces that are due at or before a time to take.
func (s *pieces) until(t int64, take func(*piece) error) error {
	for s.Due(t) {
		if err := take(s.Pop()); err != nil {
			return err
		}
	}
	return nil
}

// add queues a piece after those of the same time.
func (s *pieces) add(x *piece) {
	s.Push(x.due, s.read, x)
	s.read++
}

// at returns the piece of a time among those of one batch, and creates it if necessary.
func (s *pieces) at(of map[int64]*piece, kind Signal, t int64) (*piece, bool) {
	due := t - t%pieceLength + pieceLength
	if x := of[due]; x != nil {
		return x, false
	}
	x := &piece{due: due, signal: kind}
	of[due] = x
	s.add(x)
	return x, true
}

// mostSpan is the maximum duration of an undivided batch of data points, in nanoseconds.
const mostSpan = int64(time.Minute)

// addMetrics adds a batch of data points, and divides it if its times are far apart.
func (s *pieces) addMetrics(md pmetric.Metrics, points int, earliest, latest int64) {
	if latest-earliest <= mostSpan {
		s.add(&piece{due: earliest, signal: SignalMetrics, metrics: md, points: points})
		return
	}
	of := map[int64]*piece{}
	for _, rm := range md.ResourceMetrics().All() {
		resources := map[*piece]pmetric.ResourceMetrics{}
		for _, sm := range rm.ScopeMetrics().All() {
			scopes := map[*piece]pmetric.MetricSlice{}
			for _, m := range sm.Metrics().All() {
				metrics := map[*piece]pmetric.Metric{}
				for i := range datapoints.Count(m) {
					t, _ := PointAt(m, i)
					x, fresh := s.at(of, SignalMetrics, int64(t))
					if fresh {
						x.metrics = pmetric.NewMetrics()
					}
					into, ok := metrics[x]
					if !ok {
						into = metricIn(x, resources, scopes, rm, sm)
						metrics[x] = into
						datapoints.CopyMetric(m, into)
					}
					datapoints.Append(m, i, into)
					x.points++
				}
			}
		}
	}
}

// metricIn appends a metric to a piece, in a resource and a scope like the given ones.
func metricIn(x *piece, resources map[*piece]pmetric.ResourceMetrics, scopes map[*piece]pmetric.MetricSlice, rm pmetric.ResourceMetrics, sm pmetric.ScopeMetrics) pmetric.Metric {
	list, ok := scopes[x]
	if !ok {
		of, ok := resources[x]
		if !ok {
			of = x.metrics.ResourceMetrics().AppendEmpty()
			rm.Resource().CopyTo(of.Resource())
			resources[x] = of
		}
		scope := of.ScopeMetrics().AppendEmpty()
		sm.Scope().CopyTo(scope.Scope())
		list = scope.Metrics()
		scopes[x] = list
	}
	return list.AppendEmpty()
}

// addTraces divides a batch of spans. A span is due at its end.
func (s *pieces) addTraces(td ptrace.Traces) {
	of := map[int64]*piece{}
	for _, rs := range td.ResourceSpans().All() {
		spans := map[*piece]ptrace.SpanSlice{}
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				x, fresh := s.at(of, SignalTraces, int64(max(span.EndTimestamp(), span.StartTimestamp())))
				if fresh {
					x.traces = ptrace.NewTraces()
				}
				to, ok := spans[x]
				if !ok {
					into := x.traces.ResourceSpans().AppendEmpty()
					rs.Resource().CopyTo(into.Resource())
					to = into.ScopeSpans().AppendEmpty().Spans()
					spans[x] = to
				}
				span.MoveTo(to.AppendEmpty())
			}
		}
	}
}

// addLogs divides a batch of log records.
func (s *pieces) addLogs(ld plog.Logs) {
	of := map[int64]*piece{}
	for _, rl := range ld.ResourceLogs().All() {
		records := map[*piece]plog.LogRecordSlice{}
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				x, fresh := s.at(of, SignalLogs, logTime(lr))
				if fresh {
					x.logs = plog.NewLogs()
				}
				to, ok := records[x]
				if !ok {
					into := x.logs.ResourceLogs().AppendEmpty()
					rl.Resource().CopyTo(into.Resource())
					to = into.ScopeLogs().AppendEmpty().LogRecords()
					records[x] = to
				}
				lr.MoveTo(to.AppendEmpty())
			}
		}
	}
}
