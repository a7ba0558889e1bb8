// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package metrics finds the data points of a batch of metrics, and has them judged.
package metrics

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/auspex-otel/auspex/internal/engine/judge"
	"github.com/auspex-otel/auspex/internal/engine/meter"
	"github.com/auspex-otel/auspex/internal/series"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// Metrics lists the data points of one batch at a time. It keeps no state between batches.
// It is not safe for concurrent use.
type Metrics struct {
	judge  *judge.Judge
	points []judge.Point // scratch of one batch
}

// New returns a Metrics that has its points judged by j.
func New(j *judge.Judge) *Metrics { return &Metrics{judge: j} }

// Judge judges the points of the batch that was listed last.
func (m *Metrics) Judge(out judge.Output) []judge.Verdict { return m.judge.Points(m.points, out) }

// Len returns the number of listed points.
func (m *Metrics) Len() int { return len(m.points) }

// Release forgets the listed points. Afterwards, nothing leads to the batch.
func (m *Metrics) Release() { clear(m.points) }

// List lists the data points of a batch and returns the key of the batch, a hash of their
// identities, times, and places. Auspex's own metrics are left out.
func (m *Metrics) List(md pmetric.Metrics) series.ID {
	m.points = m.points[:0]
	key := series.Number(0)
	for i, rm := range md.ResourceMetrics().All() {
		resource := series.Attributes(rm.Resource().Attributes())
		for j, sm := range rm.ScopeMetrics().All() {
			scope := resource.Join(series.Scope(sm.Scope()))
			for k, metric := range sm.Metrics().All() {
				if vocabulary.OwnMetric(metric.Name()) {
					continue
				}
				first := len(m.points)
				at := judge.Point{
					Place: judge.Place{Resource: i, Scope: j, Metric: k}, Metric: metric, Resource: rm.Resource(), Scope: sm.Scope(),
				}
				m.listPoints(scope.Join(metricID(metric)), at)
				for n := range m.points[first:] {
					p := &m.points[first+n]
					key = key.Join(p.ID).Join(series.Number(uint64(p.Time)))
				}
				for _, n := range [...]int{i, j, k} { // verdicts lead back to their places
					key = key.Join(series.Number(uint64(n)))
				}
			}
		}
	}
	return key
}

// metricID is the identity of a metric inside its scope. The temporality is no
// part of it: an exporter that changes it goes on with the same series, as long
// as they are of the same statistic.
func metricID(m pmetric.Metric) series.ID {
	id := series.Text(m.Name()).Join(series.Text(m.Unit())).Join(series.Number(uint64(m.Type())))
	if stats := meter.StatisticsOf(m); stats != nil {
		id = id.Join(series.Number(uint64(stats[0])))
	}
	return id
}

// listPoints appends a reference to each data point of at.Metric that has a time and a value to m.points.
func (m *Metrics) listPoints(id series.ID, at judge.Point) {
	add := func(i int, t pcommon.Timestamp, f pmetric.DataPointFlags, a pcommon.Map) {
		switch {
		case f.NoRecordedValue():
			m.judge.Refuse(judge.RefusedNoValue, 1)
			return
		case int64(t) <= 0:
			m.judge.Refuse(judge.RefusedNoTimestamp, 1)
			return
		}
		at.Place.Point, at.Time, at.Attributes = i, int64(t), a
		at.ID = id.Join(series.Attributes(a))
		m.points = append(m.points, at)
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
