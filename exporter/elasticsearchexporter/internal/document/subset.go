// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package document

import (
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// picker counts records in the order of Document.Origin, and reports which to remove.
type picker struct {
	wanted map[int]bool
	n      int
}

func (p *picker) drop() bool {
	p.n++
	return !p.wanted[p.n-1]
}

// SubsetLogs copies the records with the given origins.
func SubsetLogs(ld plog.Logs, origins map[int]bool) plog.Logs {
	out, p := plog.NewLogs(), &picker{wanted: origins}
	ld.CopyTo(out)
	out.ResourceLogs().RemoveIf(func(rl plog.ResourceLogs) bool {
		rl.ScopeLogs().RemoveIf(func(sl plog.ScopeLogs) bool {
			sl.LogRecords().RemoveIf(func(plog.LogRecord) bool { return p.drop() })
			return sl.LogRecords().Len() == 0
		})
		return rl.ScopeLogs().Len() == 0
	})
	return out
}

// SubsetTraces copies the spans with the given origins.
func SubsetTraces(td ptrace.Traces, origins map[int]bool) ptrace.Traces {
	out, p := ptrace.NewTraces(), &picker{wanted: origins}
	td.CopyTo(out)
	out.ResourceSpans().RemoveIf(func(rs ptrace.ResourceSpans) bool {
		rs.ScopeSpans().RemoveIf(func(ss ptrace.ScopeSpans) bool {
			ss.Spans().RemoveIf(func(ptrace.Span) bool { return p.drop() })
			return ss.Spans().Len() == 0
		})
		return rs.ScopeSpans().Len() == 0
	})
	return out
}

// SubsetMetrics copies the data points with the given origins.
func SubsetMetrics(md pmetric.Metrics, origins map[int]bool) pmetric.Metrics {
	out, p := pmetric.NewMetrics(), &picker{wanted: origins}
	md.CopyTo(out)
	out.ResourceMetrics().RemoveIf(func(rm pmetric.ResourceMetrics) bool {
		rm.ScopeMetrics().RemoveIf(func(sm pmetric.ScopeMetrics) bool {
			sm.Metrics().RemoveIf(p.keepPoints)
			return sm.Metrics().Len() == 0
		})
		return rm.ScopeMetrics().Len() == 0
	})
	return out
}

// keepPoints removes the unwanted points of a metric, and reports whether none is left.
func (p *picker) keepPoints(m pmetric.Metric) (empty bool) {
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		m.Gauge().DataPoints().RemoveIf(func(pmetric.NumberDataPoint) bool { return p.drop() })
		return m.Gauge().DataPoints().Len() == 0
	case pmetric.MetricTypeSum:
		m.Sum().DataPoints().RemoveIf(func(pmetric.NumberDataPoint) bool { return p.drop() })
		return m.Sum().DataPoints().Len() == 0
	case pmetric.MetricTypeHistogram:
		m.Histogram().DataPoints().RemoveIf(func(pmetric.HistogramDataPoint) bool { return p.drop() })
		return m.Histogram().DataPoints().Len() == 0
	case pmetric.MetricTypeExponentialHistogram:
		m.ExponentialHistogram().DataPoints().RemoveIf(func(pmetric.ExponentialHistogramDataPoint) bool { return p.drop() })
		return m.ExponentialHistogram().DataPoints().Len() == 0
	case pmetric.MetricTypeSummary:
		m.Summary().DataPoints().RemoveIf(func(pmetric.SummaryDataPoint) bool { return p.drop() })
		return m.Summary().DataPoints().Len() == 0
	}
	return true
}
