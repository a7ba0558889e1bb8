// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package datapoints counts and copies the data points of a metric of any type.
package datapoints

import "go.opentelemetry.io/collector/pdata/pmetric"

// Count returns the number of data points of m.
func Count(m pmetric.Metric) int {
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		return m.Gauge().DataPoints().Len()
	case pmetric.MetricTypeSum:
		return m.Sum().DataPoints().Len()
	case pmetric.MetricTypeHistogram:
		return m.Histogram().DataPoints().Len()
	case pmetric.MetricTypeExponentialHistogram:
		return m.ExponentialHistogram().DataPoints().Len()
	case pmetric.MetricTypeSummary:
		return m.Summary().DataPoints().Len()
	default:
		return 0
	}
}

// CopyMetric copies all of m but its data points to an empty metric. A metric without
// a type becomes a gauge.
func CopyMetric(m, to pmetric.Metric) {
	to.SetName(m.Name())
	to.SetUnit(m.Unit())
	to.SetDescription(m.Description())
	m.Metadata().CopyTo(to.Metadata())
	switch m.Type() {
	case pmetric.MetricTypeSum:
		sum := to.SetEmptySum()
		sum.SetIsMonotonic(m.Sum().IsMonotonic())
		sum.SetAggregationTemporality(m.Sum().AggregationTemporality())
	case pmetric.MetricTypeHistogram:
		to.SetEmptyHistogram().SetAggregationTemporality(m.Histogram().AggregationTemporality())
	case pmetric.MetricTypeExponentialHistogram:
		to.SetEmptyExponentialHistogram().SetAggregationTemporality(m.ExponentialHistogram().AggregationTemporality())
	case pmetric.MetricTypeSummary:
		to.SetEmptySummary()
	default:
		to.SetEmptyGauge()
	}
}

// Append copies data point i of m to the end of those of a metric of the same type.
func Append(m pmetric.Metric, i int, to pmetric.Metric) {
	switch m.Type() {
	case pmetric.MetricTypeSum:
		m.Sum().DataPoints().At(i).CopyTo(to.Sum().DataPoints().AppendEmpty())
	case pmetric.MetricTypeHistogram:
		m.Histogram().DataPoints().At(i).CopyTo(to.Histogram().DataPoints().AppendEmpty())
	case pmetric.MetricTypeExponentialHistogram:
		m.ExponentialHistogram().DataPoints().At(i).CopyTo(to.ExponentialHistogram().DataPoints().AppendEmpty())
	case pmetric.MetricTypeSummary:
		m.Summary().DataPoints().At(i).CopyTo(to.Summary().DataPoints().AppendEmpty())
	default:
		m.Gauge().DataPoints().At(i).CopyTo(to.Gauge().DataPoints().AppendEmpty())
	}
}
