// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package replay

import (
	"math"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/auspex-otel/auspex/internal/datapoints"
)

// times returns the earliest time of a batch, or the greatest number if it has no time, and the latest time of data
// points, or 0.
func (x *Batch) times() (earliest, latest int64) {
	switch x.Signal {
	case SignalMetrics:
		return pointTimes(x.Metrics)
	case SignalLogs:
		return earliestLog(x.Logs), 0
	default:
		return earliestSpan(x.Traces), 0
	}
}

// logTime returns the time of a record, or otherwise its observed time.
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

// pointTimes returns the earliest and the latest time of a batch, or the greatest number and 0 if it has no time.
func pointTimes(md pmetric.Metrics) (earliest, latest int64) {
	earliest = math.MaxInt64
	for _, rm := range md.ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				for i := range datapoints.Count(m) {
					if t, _ := PointAt(m, i); int64(t) > 0 {
						earliest, latest = min(earliest, int64(t)), max(latest, int64(t))
					}
				}
			}
		}
	}
	return earliest, latest
}

// PointAt returns the time and the attributes of a data point of any type.
func PointAt(m pmetric.Metric, i int) (pcommon.Timestamp, pcommon.Map) {
	type point interface {
		Timestamp() pcommon.Timestamp
		Attributes() pcommon.Map
	}
	var p point
	switch m.Type() {
	case pmetric.MetricTypeSum:
		p = m.Sum().DataPoints().At(i)
	case pmetric.MetricTypeHistogram:
		p = m.Histogram().DataPoints().At(i)
	case pmetric.MetricTypeExponentialHistogram:
		p = m.ExponentialHistogram().DataPoints().At(i)
	case pmetric.MetricTypeSummary:
		p = m.Summary().DataPoints().At(i)
	default:
		p = m.Gauge().DataPoints().At(i)
	}
	return p.Timestamp(), p.Attributes()
}
