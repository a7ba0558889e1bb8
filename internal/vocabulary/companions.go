// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package vocabulary

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// PutCompanion writes a companion's value, or its stale marker.
func PutCompanion(dp pmetric.NumberDataPoint, t pcommon.Timestamp, v float64, end bool) {
	dp.SetTimestamp(t)
	if end {
		dp.SetFlags(dp.Flags().WithNoRecordedValue(true))
		return
	}
	dp.SetDoubleValue(v)
}

// PutSeries adds the attributes that distinguish the companions of a series to its own attributes.
func PutSeries(attributes pcommon.Map, metric, statistic, unit string) {
	attributes.PutStr(AttrMetric, metric)
	attributes.PutStr(AttrStatistic, statistic)
	attributes.PutStr(AttrUnit, unit)
}
