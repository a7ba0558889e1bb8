// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package datapoints

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// metrics returns a metric of each type with two data points.
func metrics() map[string]pmetric.Metric {
	all := map[string]pmetric.Metric{}
	add := func(name string) pmetric.Metric {
		m := pmetric.NewMetric()
		m.SetName(name)
		m.SetUnit("s")
		m.SetDescription("d")
		m.Metadata().PutStr("prometheus.type", "x")
		all[name] = m
		return m
	}
	for i := range 2 {
		if i == 0 {
			add("gauge").SetEmptyGauge()
			sum := add("sum").SetEmptySum()
			sum.SetIsMonotonic(true)
			sum.SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
			add("histogram").SetEmptyHistogram().SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
			add("exponential").SetEmptyExponentialHistogram().SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
			add("summary").SetEmptySummary()
		}
		all["gauge"].Gauge().DataPoints().AppendEmpty().SetDoubleValue(float64(i))
		all["sum"].Sum().DataPoints().AppendEmpty().SetIntValue(int64(i))
		all["histogram"].Histogram().DataPoints().AppendEmpty().SetCount(uint64(i))
		all["exponential"].ExponentialHistogram().DataPoints().AppendEmpty().SetScale(int32(i))
		all["summary"].Summary().DataPoints().AppendEmpty().SetSum(float64(i))
	}
	return all
}

func TestCopyIsEqual(t *testing.T) {
	for name, m := range metrics() {
		assert.Equal(t, 2, Count(m), name)
		to := pmetric.NewMetric()
		CopyMetric(m, to)
		assert.Zero(t, Count(to), name)
		for i := range Count(m) {
			Append(m, i, to)
		}
		assert.Equal(t, m, to, name)
	}
	assert.Zero(t, Count(pmetric.NewMetric()))
}
