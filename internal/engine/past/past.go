// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package past holds what a study has learned of streams before the engine receives them.
package past

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/auspex-otel/auspex/internal/detect/ensemble"
	"github.com/auspex-otel/auspex/internal/engine/meter"
)

// Origin is the identity of a stream. The data points of Metric are not part of it.
type Origin struct {
	Resource   pcommon.Resource
	Scope      pcommon.InstrumentationScope
	Metric     pmetric.Metric
	Attributes pcommon.Map
}

// History returns the pasts of streams.
type History interface {
	// Take returns the past of a stream that is new to the engine, or nil. It returns each past once. The engine is
	// locked meanwhile, so it must neither wait nor call the engine.
	Take(Origin) *Past
}

// Past holds the models and the cadence of one stream.
type Past struct {
	Meter   meter.Meter
	Cadence int64 // usual distance of two points, in nanoseconds
	List    []Series
}

// Series holds the model of one statistic after a number of points, and its latest value and prediction interval.
type Series struct {
	Statistic                        meter.Statistic
	Model                            *ensemble.Model
	Points                           uint64
	Observed, Expected, Lower, Upper float64
}

// Series returns the number of series.
func (p *Past) Series() int { return len(p.List) }

// Metrics returns the metrics that a stream with the given number of statistics may belong to.
func Metrics(name, unit string, first meter.Statistic, statistics int) []pmetric.Metric {
	named := func() pmetric.Metric {
		m := pmetric.NewMetric()
		m.SetName(name)
		m.SetUnit(unit)
		return m
	}
	one, other := named(), named()
	switch {
	case statistics == meter.MostSamples:
		one.SetEmptyHistogram()
		other.SetEmptySummary()
	case first == meter.Rate:
		one.SetEmptySum().SetIsMonotonic(true)
		other.SetEmptySum()
	default:
		one.SetEmptyGauge()
		other.SetEmptySum()
	}
	return []pmetric.Metric{one, other}
}
