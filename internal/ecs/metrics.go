// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package ecs

import (
	"maps"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// identifying are prefixes of names whose numbers identify, and do not measure.
var identifying = []string{"@metadata.", "agent.", "data_stream.", "ecs.", "elastic", "error.", "event.", "fields.", "labels.", "log.", "metricset.", "numeric_labels.", "tags."}

// identifyingEnds are suffixes of names whose numbers are not measurements.
var identifyingEnds = []string{".id", ".pid", ".ppid", ".pgid", ".port", ".partition"}

// IsMetrics reports whether an event contains measurements: one of Metricbeat, or a document for
// a data stream of metrics, unless it reports an error.
func (f Fields) IsMetrics() bool {
	if f.Text("metricset.name") == "" && f.Text("data_stream.type") != "metrics" && !strings.HasPrefix(f.Text(vocabulary.ElasticIndex), "metrics-") {
		return false
	}
	if f.Text("error.message") != "" {
		return false
	}
	for name, value := range f {
		if measured(name, value) {
			return true
		}
	}
	return false
}

// measured reports whether a field of a metric event is a measurement.
func measured(name string, value any) bool {
	switch value.(type) {
	case int64, float64:
	default:
		return false
	}
	if name == "event.duration" {
		return true
	}
	for _, p := range identifying {
		if strings.HasPrefix(name, p) {
			return false
		}
	}
	for _, e := range identifyingEnds {
		if strings.HasSuffix(name, e) {
			return false
		}
	}
	return true
}

// measurement is a number, or the values and counts of a histogram.
type measurement struct {
	number         any
	values, counts []any
}

// measurements removes the measurements from an event and returns them.
func (f Fields) measurements() map[string]measurement {
	taken := map[string]measurement{}
	for name, value := range f {
		if measured(name, value) {
			taken[name] = measurement{number: value}
			continue
		}
		if base, ok := strings.CutSuffix(name, ".values"); ok {
			counts, _ := f[base+".counts"].([]any)
			if values, _ := value.([]any); histogram(values, counts) {
				taken[base] = measurement{values: values, counts: counts}
			}
		}
	}
	for name, m := range taken {
		if m.number != nil {
			delete(f, name)
			continue
		}
		delete(f, name+".values")
		delete(f, name+".counts")
	}
	return taken
}

// histogram reports whether lists have the form of Elasticsearch's type histogram.
func histogram(values, counts []any) bool {
	if len(values) == 0 || len(values) != len(counts) {
		return false
	}
	for i := range values {
		v, ok := toFloat(values[i])
		n, whole := counts[i].(int64)
		if !ok || !whole || n < 0 {
			return false
		}
		if i > 0 {
			if last, _ := toFloat(values[i-1]); last >= v {
				return false
			}
		}
	}
	return true
}

func toFloat(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

// metrics holds the metrics of one resource.
type metrics struct {
	slice  pmetric.MetricSlice
	byName map[string]pmetric.Metric
}

// add adds the measurements of one event, in the order of their names.
func (m *metrics) add(values map[string]measurement, attributes map[string]any, t pcommon.Timestamp) {
	shared := pcommon.NewMap()
	_ = shared.FromRaw(attributes)
	for _, name := range slices.Sorted(maps.Keys(values)) {
		v := values[name]
		if v.number == nil {
			dp := m.metric(name, kindHistogram).Histogram().DataPoints().AppendEmpty()
			putHistogram(dp, v)
			dp.SetTimestamp(t)
			shared.CopyTo(dp.Attributes())
			continue
		}
		dp := m.numbers(name).AppendEmpty()
		switch n := v.number.(type) {
		case int64:
			dp.SetIntValue(n)
		case float64:
			dp.SetDoubleValue(n)
		}
		dp.SetTimestamp(t)
		shared.CopyTo(dp.Attributes())
	}
}

func (m *metrics) numbers(name string) pmetric.NumberDataPointSlice {
	kind := kindOf(name)
	metric := m.metric(name, kind)
	if kind == kindCounter {
		return metric.Sum().DataPoints()
	}
	return metric.Gauge().DataPoints()
}

// metric returns the metric with a name and kind, and creates it if necessary.
func (m *metrics) metric(name string, k kind) pmetric.Metric {
	key := string(k) + name
	metric, ok := m.byName[key]
	if ok {
		return metric
	}
	metric = m.slice.AppendEmpty()
	metric.SetName(name)
	metric.SetUnit(unitOf(name))
	switch k {
	case kindCounter:
		sum := metric.SetEmptySum()
		sum.SetIsMonotonic(true)
		sum.SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	case kindHistogram:
		metric.SetEmptyHistogram().SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
	default:
		metric.SetEmptyGauge()
	}
	m.byName[key] = metric
	return metric
}

// putHistogram writes buckets with the given values near their midpoints: the bounds are halfway
// between two values.
func putHistogram(dp pmetric.HistogramDataPoint, v measurement) {
	var count uint64
	sum := 0.0
	for i := range v.values {
		value, _ := toFloat(v.values[i])
		n := uint64(v.counts[i].(int64))
		count += n
		sum += value * float64(n)
		dp.BucketCounts().Append(n)
		if i+1 < len(v.values) {
			next, _ := toFloat(v.values[i+1])
			dp.ExplicitBounds().Append(value + (next-value)/2)
		}
	}
	dp.SetCount(count)
	dp.SetSum(sum)
}
