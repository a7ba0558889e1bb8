// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package reliableotlpexporter

import (
	"context"

	"github.com/open-telemetry/opentelemetry-collector-contrib/exporter/loadbalancingexporter"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/otlpexporter"
	"go.opentelemetry.io/collector/exporter/otlphttpexporter"

	"github.com/auspex-otel/auspex/exporter/reliableotlpexporter/internal/metadata"
)

// NewFactory returns the factory of the exporter reliable_otlp.
func NewFactory() exporter.Factory {
	return exporter.NewFactory(metadata.Type, createDefaultConfig,
		exporter.WithLogs(createLogs, metadata.LogsStability),
		exporter.WithMetrics(createMetrics, metadata.MetricsStability),
		exporter.WithTraces(createTraces, metadata.TracesStability))
}

// target returns the factory that the configuration names, its configuration, and
// the settings under which core creates the exporter.
func target(set exporter.Settings, cfg *Config) (exporter.Factory, component.Config, exporter.Settings) {
	var factory exporter.Factory
	var inner component.Config
	switch {
	case cfg.OTLPGRPC.HasValue():
		factory, inner = otlpexporter.NewFactory(), cfg.OTLPGRPC.Get()
	case cfg.OTLPHTTP.HasValue():
		factory, inner = otlphttpexporter.NewFactory(), cfg.OTLPHTTP.Get()
	default:
		factory, inner = loadbalancingexporter.NewFactory(), cfg.LoadBalancing.Get()
	}
	set.ID = component.NewIDWithName(factory.Type(), set.ID.String())
	return factory, inner, set
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
	return exporterhelper.NewLogs(ctx, set, cfg, s.push, s.options()...)
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
	return exporterhelper.NewMetrics(ctx, set, cfg, s.push, s.options()...)
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
	return exporterhelper.NewTraces(ctx, set, cfg, s.push, s.options()...)
}
