// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package meter

import "go.opentelemetry.io/collector/pdata/pmetric"

// Exemplars returns the exemplars of data point i of m. A summary has none.
func Exemplars(m pmetric.Metric, i int) pmetric.ExemplarSlice {
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		return m.Gauge().DataPoints().At(i).Exemplars()
	case pmetric.MetricTypeSum:
		return m.Sum().DataPoints().At(i).Exemplars()
	case pmetric.MetricTypeHistogram:
		return m.Histogram().DataPoints().At(i).Exemplars()
	case pmetric.MetricTypeExponentialHistogram:
		return m.ExponentialHistogram().DataPoints().At(i).Exemplars()
	default:
		return pmetric.NewExemplarSlice()
	}
}
