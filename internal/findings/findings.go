// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package findings

import (
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/auspex-otel/auspex/internal/engine"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// staleDelay is the time, in nanoseconds, from the last point of a silent series to its stale
// marker. Backends with millisecond resolution can distinguish it.
const staleDelay = 1_000_000

// Metrics returns the gauges of services, and the companion gauges of series without a batch.
func Metrics(g engine.Gauges) pmetric.Metrics {
	md := pmetric.NewMetrics()
	for _, svc := range g.Services {
		rm := md.ResourceMetrics().AppendEmpty()
		rm.Resource().Attributes().PutStr(vocabulary.ServiceName, svc.Service)
		sm := rm.ScopeMetrics().AppendEmpty()
		sm.Scope().SetName(vocabulary.Scope)
		put := func(name string) pmetric.NumberDataPoint {
			m := sm.Metrics().AppendEmpty()
			m.SetName(name)
			dp := m.SetEmptyGauge().DataPoints().AppendEmpty()
			dp.SetTimestamp(svc.Time)
			return dp
		}
		put(vocabulary.MetricMaxScore).SetDoubleValue(svc.MaxScore)
		put(vocabulary.MetricOpen).SetIntValue(svc.Open)
		put(vocabulary.MetricRate).SetDoubleValue(svc.Rate)
		put(vocabulary.MetricIncidentOpen).SetIntValue(svc.Incidents)
		put(vocabulary.MetricIncidentDuration).SetDoubleValue(svc.Lasting.Seconds())
		sm.Metrics().At(sm.Metrics().Len() - 1).SetUnit("s")
		putCount(sm.Metrics().AppendEmpty(), svc)
	}
	for _, s := range g.Companions {
		rm := md.ResourceMetrics().AppendEmpty()
		s.Resource.CopyTo(rm.Resource().Attributes())
		sm := rm.ScopeMetrics().AppendEmpty()
		s.Scope.CopyTo(sm.Scope())
		at := s.Time
		if s.End {
			at += staleDelay
		}
		for i, name := range vocabulary.Companions {
			m := sm.Metrics().AppendEmpty()
			m.SetName(name)
			dp := m.SetEmptyGauge().DataPoints().AppendEmpty()
			vocabulary.PutCompanion(dp, at, s.Values[i], s.End)
			s.Attributes.CopyTo(dp.Attributes())
			vocabulary.PutSeries(dp.Attributes(), s.Metric, s.Statistic, s.Unit)
		}
	}
	return md
}

// putCount writes the number of anomalies that a service has opened. It is monotonic.
func putCount(m pmetric.Metric, svc engine.Gauge) {
	m.SetName(vocabulary.MetricCount)
	sum := m.SetEmptySum()
	sum.SetIsMonotonic(true)
	sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	dp := sum.DataPoints().AppendEmpty()
	dp.SetTimestamp(svc.Time)
	dp.SetIntValue(int64(svc.Count))
}

// Logs returns the events of anomalies and incidents, with a resource for each service.
func Logs(ev engine.Events) plog.Logs {
	ld := plog.NewLogs()
	scopes := map[string]plog.LogRecordSlice{}
	at := func(service string) plog.LogRecord {
		records, ok := scopes[service]
		if !ok {
			rl := ld.ResourceLogs().AppendEmpty()
			rl.Resource().Attributes().PutStr(vocabulary.ServiceName, service)
			sl := rl.ScopeLogs().AppendEmpty()
			sl.Scope().SetName(vocabulary.Scope)
			records = sl.LogRecords()
			scopes[service] = records
		}
		return records.AppendEmpty()
	}
	for _, a := range ev.Anomalies {
		vocabulary.PutAnomaly(at(a.Service), a)
	}
	for _, i := range ev.Incidents {
		vocabulary.PutIncident(at(i.Service), i)
	}
	return ld
}
