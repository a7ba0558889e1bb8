// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package reliableotlpexporter

import (
	"context"
	"strings"

	"github.com/open-telemetry/opentelemetry-collector-contrib/exporter/kafkaexporter"
	"github.com/open-telemetry/opentelemetry-collector-contrib/exporter/loadbalancingexporter"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/otlpexporter"
	"go.opentelemetry.io/collector/exporter/otlphttpexporter"
	"go.opentelemetry.io/otel/metric/noop"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/auspex-otel/auspex/exporter/reliableotlpexporter/internal/metadata"
)

// NewFactory returns the factory of the reliable_otlp exporter.
func NewFactory() exporter.Factory {
	return exporter.NewFactory(metadata.Type, createDefaultConfig,
		exporter.WithLogs(createLogs, metadata.LogsStability),
		exporter.WithMetrics(createMetrics, metadata.MetricsStability),
		exporter.WithTraces(createTraces, metadata.TracesStability))
}

// target returns the configured factory, its configuration, and the settings for core's exporter.
// The settings suppress logs and metrics that this exporter duplicates.
func target(set exporter.Settings, cfg *Config) (exporter.Factory, component.Config, exporter.Settings) {
	var factory exporter.Factory
	var inner component.Config
	switch {
	case cfg.OTLPGRPC.HasValue():
		factory, inner = otlpexporter.NewFactory(), cfg.OTLPGRPC.Get()
	case cfg.OTLPHTTP.HasValue():
		factory, inner = otlphttpexporter.NewFactory(), withoutRedirects(*cfg.OTLPHTTP.Get())
	case cfg.Kafka.HasValue():
		factory, inner = kafkaexporter.NewFactory(), keyed(*cfg.Kafka.Get())
	default:
		factory, inner = loadbalancingexporter.NewFactory(), cfg.LoadBalancing.Get()
	}
	set.ID = component.NewIDWithName(factory.Type(), set.ID.String())
	set.Logger = set.Logger.WithOptions(zap.WrapCore(func(c zapcore.Core) zapcore.Core { return quiet{c} }))
	// Load balancing counts by target, and Kafka by partition.
	if !cfg.LoadBalancing.HasValue() && !cfg.Kafka.HasValue() {
		set.MeterProvider = noop.NewMeterProvider()
	}
	return factory, inner, set
}

// quiet suppresses the log messages of exporterhelper about failed requests.
type quiet struct{ zapcore.Core }

// With returns a core that is also quiet.
func (q quiet) With(fields []zapcore.Field) zapcore.Core { return quiet{q.Core.With(fields)} }

// Check adds the core to the entries that are not suppressed.
func (q quiet) Check(e zapcore.Entry, to *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if strings.HasPrefix(e.Message, "Exporting failed.") {
		return to
	}
	return q.Core.Check(e, to)
}

func createLogs(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Logs, error) {
	c := cfg.(*Config)
	factory, inner, innerSet := target(set, c)
	next, err := factory.CreateLogs(ctx, innerSet, inner)
	if err != nil {
		return nil, err
	}
	s, err := newSender(set, c, logs, next, next.ConsumeLogs, consumererror.NewLogs)
	if err != nil {
		return nil, err
	}
	outer, err := exporterhelper.NewLogs(ctx, set, cfg, s.push, s.options()...)
	if err != nil {
		return nil, err
	}
	return logsExporter{bounded{outer, &s.cutoff}, outer}, nil
}

func createMetrics(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Metrics, error) {
	c := cfg.(*Config)
	factory, inner, innerSet := target(set, c)
	next, err := factory.CreateMetrics(ctx, innerSet, inner)
	if err != nil {
		return nil, err
	}
	s, err := newSender(set, c, metrics, next, next.ConsumeMetrics, consumererror.NewMetrics)
	if err != nil {
		return nil, err
	}
	outer, err := exporterhelper.NewMetrics(ctx, set, cfg, s.push, s.options()...)
	if err != nil {
		return nil, err
	}
	return metricsExporter{bounded{outer, &s.cutoff}, outer}, nil
}

func createTraces(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Traces, error) {
	c := cfg.(*Config)
	factory, inner, innerSet := target(set, c)
	next, err := factory.CreateTraces(ctx, innerSet, inner)
	if err != nil {
		return nil, err
	}
	s, err := newSender(set, c, traces, next, next.ConsumeTraces, consumererror.NewTraces)
	if err != nil {
		return nil, err
	}
	outer, err := exporterhelper.NewTraces(ctx, set, cfg, s.push, s.options()...)
	if err != nil {
		return nil, err
	}
	return tracesExporter{bounded{outer, &s.cutoff}, outer}, nil
}
