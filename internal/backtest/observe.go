// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package backtest

import (
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/auspex-otel/auspex/internal/causes"
	"github.com/auspex-otel/auspex/internal/evidence"
	"github.com/auspex-otel/auspex/internal/template"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// observe gives a record to an accumulator of evidence.
func observe(a *causes.Accumulator, miner *template.Miner, r *item) {
	attributes := r.resource.Attributes()
	service := vocabulary.Service(attributes)
	switch r.signal {
	case signalTraces:
		span := evidence.Span(service, r.span)
		a.Span(&span)
	case signalLogs:
		match := miner.Observe(service, r.log.Body().AsString())
		a.Line(&causes.Line{Service: service, Trace: r.log.TraceID(), Span: r.log.SpanID(), Template: uint64(match.Final), Time: r.time})
	default:
		if instance, quantity := evidence.Instance(attributes), evidence.Quantity(r.metric.Name()); instance != "" && quantity != "" {
			a.Use(service, instance, quantity, valueOf(r.point), r.time)
		}
	}
	a.Runs(service, evidence.Place(attributes), r.time)
}

func valueOf(p pmetric.NumberDataPoint) float64 {
	if p.ValueType() == pmetric.NumberDataPointValueTypeInt {
		return float64(p.IntValue())
	}
	return p.DoubleValue()
}
