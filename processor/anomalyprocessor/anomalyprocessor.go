// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package anomalyprocessor

import (
	"context"
	"fmt"
	"runtime/debug"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/processor"
	"go.uber.org/zap"

	"github.com/auspex-otel/auspex/internal/engine"
	"github.com/auspex-otel/auspex/internal/series"
	"github.com/auspex-otel/auspex/internal/tap"
	"github.com/auspex-otel/auspex/internal/vocabulary"
	"github.com/auspex-otel/auspex/processor/anomalyprocessor/internal/metadata"
)

// base holds the common parts of the processors of all signals, such as the engine.
type base struct {
	id        component.ID
	signal    string
	logger    *zap.Logger
	engine    *engine.Engine
	tap       *tap.Point
	telemetry *metadata.TelemetryBuilder
}

func newBase(set processor.Settings, signal string) (base, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	return base{id: set.ID, signal: signal, logger: set.Logger, telemetry: telemetry}, err
}

// Start finds the engine, and the tap of this processor.
func (b *base) Start(_ context.Context, host component.Host) (err error) {
	b.tap = tap.Find(host, component.KindProcessor, b.id, b.signal)
	b.engine, err = engine.Find(host, b.logger)
	return err
}

// Shutdown closes the processor's own telemetry. The extension owns the engine.
func (b *base) Shutdown(context.Context) error {
	b.telemetry.Shutdown()
	return nil
}

// Capabilities states that the processor modifies batches.
func (*base) Capabilities() consumer.Capabilities { return consumer.Capabilities{MutatesData: true} }

// guard prevents a failure of the engine from affecting telemetry.
func (b *base) guard(ctx context.Context) {
	if r := recover(); r != nil {
		b.telemetry.ProcessorAnomalyFailures.Add(ctx, 1)
		b.logger.Error("the engine failed on a batch, which passes without scores: report this as a bug at github.com/auspex-otel/auspex",
			zap.String("failure", fmt.Sprint(r)), zap.ByteString("stack", debug.Stack()))
	}
}

type metricsProcessor struct {
	base
	cfg  *Config
	next consumer.Metrics
}

func newMetricsProcessor(set processor.Settings, cfg *Config, next consumer.Metrics) (*metricsProcessor, error) {
	b, err := newBase(set, "metrics")
	if err != nil {
		return nil, err
	}
	return &metricsProcessor{base: b, cfg: cfg, next: next}, nil
}

// ConsumeMetrics passes the batch to the engine once, adds the companions to it, and returns the
// result of the next consumer. A rejected batch that is sent again gets the same verdicts.
func (p *metricsProcessor) ConsumeMetrics(ctx context.Context, md pmetric.Metrics) error {
	p.judge(ctx, md)
	return p.next.ConsumeMetrics(ctx, md)
}

func (p *metricsProcessor) judge(ctx context.Context, md pmetric.Metrics) {
	defer p.guard(ctx)
	verdicts := p.engine.ObserveMetrics(md, engine.Output{Select: p.cfg.Output.Select, MaxSeries: p.cfg.Output.MaxSeries})
	if len(verdicts) > 0 {
		p.telemetry.ProcessorAnomalyCompanionPoints.Add(ctx, int64(p.annotate(md, verdicts)))
	}
	p.tap.Metrics(md)
}

// annotate appends the companions of all verdicts, which are in the order of the batch, and
// returns the number of data points. Companions of one scope share its gauges. A series that
// already has a score, from a preceding collector or an earlier try, keeps it.
func (p *metricsProcessor) annotate(md pmetric.Metrics, verdicts []engine.Verdict) (written int) {
	var gauges [len(vocabulary.Companions)]pmetric.NumberDataPointSlice
	var present map[series.ID]bool
	for i, v := range verdicts {
		sm := md.ResourceMetrics().At(v.Resource).ScopeMetrics().At(v.Scope)
		if i == 0 || v.Resource != verdicts[i-1].Resource || v.Scope != verdicts[i-1].Scope {
			present = scored(sm)
			gauges = [len(gauges)]pmetric.NumberDataPointSlice{}
		}
		m := sm.Metrics().At(v.Metric)
		t, own := place(m, v.Point)
		attributes := pcommon.NewMap()
		own.CopyTo(attributes)
		vocabulary.PutSeries(attributes, m.Name(), v.Statistic, v.Unit)
		if present[series.Attributes(attributes)] {
			continue
		}
		values := [...]float64{v.Score, v.Observed, v.Expected, v.Lower, v.Upper}
		for n := range p.names() {
			if gauges[n] == (pmetric.NumberDataPointSlice{}) {
				g := sm.Metrics().AppendEmpty()
				g.SetName(vocabulary.Companions[n])
				gauges[n] = g.SetEmptyGauge().DataPoints()
			}
			dp := gauges[n].AppendEmpty()
			vocabulary.PutCompanion(dp, t, values[n], v.End)
			attributes.CopyTo(dp.Attributes())
			written++
		}
	}
	return written
}

// scored returns the series of a scope that already have a score, by the identity of the score's
// attributes. It returns nil if there are none.
func scored(sm pmetric.ScopeMetrics) (present map[series.ID]bool) {
	for _, m := range sm.Metrics().All() {
		if m.Name() != vocabulary.MetricScore || m.Type() != pmetric.MetricTypeGauge {
			continue
		}
		for _, dp := range m.Gauge().DataPoints().All() {
			if present == nil {
				present = map[series.ID]bool{}
			}
			present[series.Attributes(dp.Attributes())] = true
		}
	}
	return present
}

// names returns the number of vocabulary.Companions that are written.
func (p *metricsProcessor) names() int {
	if p.cfg.Output.Band {
		return len(vocabulary.Companions)
	}
	return len(vocabulary.Companions) - 2
}

// place returns the time and attributes of a data point.
func place(m pmetric.Metric, i int) (pcommon.Timestamp, pcommon.Map) {
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		dp := m.Gauge().DataPoints().At(i)
		return dp.Timestamp(), dp.Attributes()
	case pmetric.MetricTypeSum:
		dp := m.Sum().DataPoints().At(i)
		return dp.Timestamp(), dp.Attributes()
	case pmetric.MetricTypeSummary:
		dp := m.Summary().DataPoints().At(i)
		return dp.Timestamp(), dp.Attributes()
	case pmetric.MetricTypeExponentialHistogram:
		dp := m.ExponentialHistogram().DataPoints().At(i)
		return dp.Timestamp(), dp.Attributes()
	default:
		dp := m.Histogram().DataPoints().At(i)
		return dp.Timestamp(), dp.Attributes()
	}
}
