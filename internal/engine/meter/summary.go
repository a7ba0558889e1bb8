// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package meter

import (
	"math"

	"go.opentelemetry.io/collector/pdata/pmetric"
)

// summary converts a summary point: the rate of its count, its mean, and its quantiles 0.5, 0.95, and 0.99. It skips
// others, because quantiles cannot be interpolated. Count and sum are cumulative. The quantiles refer to a window
// that the source selects, so they are used unchanged, from the first point on. A source without values in that
// window sends NaN, which is skipped.
func (r *Meter) summary(dp pmetric.SummaryDataPoint, buf []Sample) (_ []Sample, refused string) {
	if math.IsNaN(dp.Sum()) || math.IsInf(dp.Sum(), 0) {
		return buf, NotFinite
	}
	t, start := int64(dp.Timestamp()), int64(dp.StartTimestamp())
	d := distribution{dp.Count(), dp.Sum(), true}
	if seconds, since := r.cumulativeSpan(t, start, d.count < r.count); seconds > 0 {
		buf, _ = r.counted(d, seconds, since, buf)
	}
	for _, s := range quantileStats {
		for _, q := range dp.QuantileValues().All() {
			if q.Quantile() == s.q && !math.IsNaN(q.Value()) {
				buf = append(buf, Sample{s.stat, q.Value()})
				break // a second one would be another sample at this time
			}
		}
	}
	r.count, r.sum = d.count, d.sum
	r.Mark(t, start)
	return buf, ""
}
