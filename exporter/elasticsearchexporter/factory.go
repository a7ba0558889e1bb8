// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package elasticsearchexporter

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/auspex-otel/auspex/exporter/elasticsearchexporter/internal/metadata"
)

// NewFactory returns the factory of the elasticsearch exporter.
func NewFactory() exporter.Factory {
	return exporter.NewFactory(metadata.Type, createDefaultConfig,
		exporter.WithLogs(createLogs, metadata.LogsStability),
		exporter.WithMetrics(createMetrics, metadata.MetricsStability),
		exporter.WithTraces(createTraces, metadata.TracesStability))
}

func createLogs(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Logs, error) {
	w, err := newWindow(set, cfg.(*Config), "logs")
	if err != nil {
		return nil, err
	}
	inner, err := exporterhelper.NewLogs(ctx, set, cfg, w.pushLogs, w.options()...)
	if err != nil {
		return nil, err
	}
	return &logsExporter{inner, w}, nil
}

func createMetrics(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Metrics, error) {
	w, err := newWindow(set, cfg.(*Config), "metrics")
	if err != nil {
		return nil, err
	}
	inner, err := exporterhelper.NewMetrics(ctx, set, cfg, w.pushMetrics, w.options()...)
	if err != nil {
		return nil, err
	}
	return &metricsExporter{inner, w}, nil
}

func createTraces(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Traces, error) {
	w, err := newWindow(set, cfg.(*Config), "traces")
	if err != nil {
		return nil, err
	}
	inner, err := exporterhelper.NewTraces(ctx, set, cfg, w.pushTraces, w.options()...)
	if err != nil {
		return nil, err
	}
	return &tracesExporter{inner, w}, nil
}
