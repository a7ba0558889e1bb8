// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package metrics finds the data points of a batch of metrics, and has them judged.
package metrics

import (
	"sync"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/auspex-otel/auspex/internal/engine/judge"
	"github.com/auspex-otel/auspex/internal/engine/meter"
	"github.com/auspex-otel/auspex/internal/engine/shards"
	"github.com/auspex-otel/auspex/internal/series"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// Batch lists the data points of one batch of metrics. Release makes it available for another one.
type Batch struct {
	// Key is a hash of the identities, times, and places of the points.
	Key series.ID
	// Services are those that have points.
	Services shards.Set

	untimed, valueless uint64 // points that are not listed
	points             judge.Batch
}

var batches = sync.Pool{New: func() any { return new(Batch) }}

// Release forgets the listed points. Afterwards, nothing leads to the batch of metrics.
func (b *Batch) Release() {
	b.points.Release()
	b.Key, b.Services, b.untimed, b.valueless = 0, 0, 0, 0
	batches.Put(b)
}

// Len returns the number of listed points.
func (b *Batch) Len() int { return len(b.points.Points) }

// Refuse counts the points that are not listed.
func (b *Batch) Refuse(j *judge.Judge) {
	j.Refuse(judge.RefusedNoTimestamp, b.untimed)
	j.Refuse(judge.RefusedNoValue, b.valueless)
}

// Judge has the points judged.
func (b *Batch) Judge(j *judge.Judge, out judge.Output, crew judge.Crew) []judge.Verdict {
	return j.Points(&b.points, out, crew)
}

// List lists the data points of a batch. Auspex's own metrics are left out.
func List(md pmetric.Metrics) *Batch {
	b := batches.Get().(*Batch)
	b.Key = series.Number(0)
	for i, rm := range md.ResourceMetrics().All() {
		resource := series.Attributes(rm.Resource().Attributes())
		b.Services.Add(uint64(series.Text(vocabulary.Service(rm.Resource().Attributes()))))
		for j, sm := range rm.ScopeMetrics().All() {
			scope := resource.Join(series.Scope(sm.Scope()))
			for k, metric := range sm.Metrics().All() {
				if vocabulary.OwnMetric(metric.Name()) {
					continue
				}
				first := b.Len()
				at := judge.Point{
					Place: judge.Place{Resource: i, Scope: j, Metric: k}, Metric: metric, Resource: rm.Resource(), Scope: sm.Scope(),
				}
				b.listPoints(scope.Join(metricID(metric)), at)
				for n := range b.points.Points[first:] {
					p := &b.points.Points[first+n]
					b.Key = b.Key.Join(p.ID).Join(series.Number(uint64(p.Time)))
				}
				for _, n := range [...]int{i, j, k} { // verdicts lead back to their places
					b.Key = b.Key.Join(series.Number(uint64(n)))
				}
			}
		}
	}
	return b
}

// metricID returns the identity of a metric inside its scope. It does not include the
// temporality: an exporter that changes the temporality continues the same series, if
// the statistic stays the same.
func metricID(m pmetric.Metric) series.ID {
	id := series.Text(m.Name()).Join(series.Text(m.Unit())).Join(series.Number(uint64(m.Type())))
	if stats := meter.StatisticsOf(m); stats != nil {
		id = id.Join(series.Number(uint64(stats[0])))
	}
	return id
}

// listPoints appends a reference to each data point of at.Metric that has a time and a value to the batch.
func (b *Batch) listPoints(id series.ID, at judge.Point) {
	add := func(i int, t pcommon.Timestamp, f pmetric.DataPointFlags, a pcommon.Map) {
		switch {
		case f.NoRecordedValue():
			b.valueless++
			return
		case int64(t) <= 0:
			b.untimed++
			return
		}
		at.Place.Point, at.Time, at.Attributes = i, int64(t), a
		at.ID = id.Join(series.Attributes(a))
		b.points.Points = append(b.points.Points, at)
	}
	switch metric := at.Metric; metric.Type() {
	case pmetric.MetricTypeGauge:
		for i, dp := range metric.Gauge().DataPoints().All() {
			add(i, dp.Timestamp(), dp.Flags(), dp.Attributes())
		}
	case pmetric.MetricTypeSum:
		for i, dp := range metric.Sum().DataPoints().All() {
			add(i, dp.Timestamp(), dp.Flags(), dp.Attributes())
		}
	case pmetric.MetricTypeHistogram:
		for i, dp := range metric.Histogram().DataPoints().All() {
			add(i, dp.Timestamp(), dp.Flags(), dp.Attributes())
		}
	case pmetric.MetricTypeExponentialHistogram:
		for i, dp := range metric.ExponentialHistogram().DataPoints().All() {
			add(i, dp.Timestamp(), dp.Flags(), dp.Attributes())
		}
	case pmetric.MetricTypeSummary:
		for i, dp := range metric.Summary().DataPoints().All() {
			add(i, dp.Timestamp(), dp.Flags(), dp.Attributes())
		}
	}
}
