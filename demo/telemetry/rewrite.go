// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"time"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// restamp moves all points of rm to event time: at for the point itself, start for
// what is counted from a start. A gauge has no start and gets none.
func restamp(rm *metricdata.ResourceMetrics, start, at time.Time) {
	for _, sm := range rm.ScopeMetrics {
		for _, m := range sm.Metrics {
			switch d := m.Data.(type) {
			case metricdata.Gauge[int64]:
				restampNumbers(d.DataPoints, time.Time{}, at)
			case metricdata.Gauge[float64]:
				restampNumbers(d.DataPoints, time.Time{}, at)
			case metricdata.Sum[int64]:
				restampNumbers(d.DataPoints, start, at)
			case metricdata.Sum[float64]:
				restampNumbers(d.DataPoints, start, at)
			case metricdata.Histogram[float64]:
				for i := range d.DataPoints {
					d.DataPoints[i].StartTime, d.DataPoints[i].Time = start, at
				}
			}
		}
	}
}

func restampNumbers[N int64 | float64](points []metricdata.DataPoint[N], start, at time.Time) {
	for i := range points {
		points[i].StartTime, points[i].Time = start, at
	}
}

// merge appends the points of src to those of dst, metric by metric, so that several
// readings travel in one request. The two are readings of the same provider, which
// lists the same scopes in the same order; a metric that dst lacks is added.
func merge(dst, src *metricdata.ResourceMetrics) {
	for i, sm := range src.ScopeMetrics {
		if i == len(dst.ScopeMetrics) {
			dst.ScopeMetrics = append(dst.ScopeMetrics, sm)
			continue
		}
		for _, m := range sm.Metrics {
			into := metricNamed(&dst.ScopeMetrics[i], m.Name)
			if into == nil {
				dst.ScopeMetrics[i].Metrics = append(dst.ScopeMetrics[i].Metrics, m)
				continue
			}
			into.Data = joined(into.Data, m.Data)
		}
	}
}

// metricNamed returns the metric of that name, or nil.
func metricNamed(sm *metricdata.ScopeMetrics, name string) *metricdata.Metrics {
	for i := range sm.Metrics {
		if sm.Metrics[i].Name == name {
			return &sm.Metrics[i]
		}
	}
	return nil
}

// joined returns the points of a, then those of b. They are of one type, because they come from one instrument.
func joined(a, b metricdata.Aggregation) metricdata.Aggregation {
	switch x := a.(type) {
	case metricdata.Gauge[int64]:
		x.DataPoints = append(x.DataPoints, b.(metricdata.Gauge[int64]).DataPoints...)
		return x
	case metricdata.Gauge[float64]:
		x.DataPoints = append(x.DataPoints, b.(metricdata.Gauge[float64]).DataPoints...)
		return x
	case metricdata.Sum[int64]:
		x.DataPoints = append(x.DataPoints, b.(metricdata.Sum[int64]).DataPoints...)
		return x
	case metricdata.Sum[float64]:
		x.DataPoints = append(x.DataPoints, b.(metricdata.Sum[float64]).DataPoints...)
		return x
	case metricdata.Histogram[float64]:
		x.DataPoints = append(x.DataPoints, b.(metricdata.Histogram[float64]).DataPoints...)
		return x
	}
	return a
}
