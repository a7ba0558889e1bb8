// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package prometheusremotewriteexporter

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/xexporter"

	"github.com/auspex-otel/auspex/exporter/prometheusremotewriteexporter/internal/metadata"
	"github.com/auspex-otel/auspex/internal/exporterutil"
	"github.com/auspex-otel/auspex/internal/shutdown"
)

// NewFactory returns the factory of the prometheus_remote_write exporter.
func NewFactory() exporter.Factory {
	return xexporter.NewFactory(metadata.Type, createDefaultConfig,
		xexporter.WithMetrics(createMetrics, metadata.MetricsStability),
		xexporter.WithDeprecatedTypeAlias(metadata.DeprecatedType))
}

func createMetrics(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Metrics, error) {
	c := cfg.(*Config)
	w, err := newWriter(c, set)
	if err != nil {
		return nil, err
	}
	exporterutil.WarnOfLoss(set.Logger, c.Queue, c.Retry, c.DeadLetter)
	inner, err := exporterhelper.NewMetrics(ctx, set, cfg, w.push,
		// Resource attributes are written into the data points.
		exporterhelper.WithCapabilities(consumer.Capabilities{MutatesData: c.ResourceToTelemetry.Enabled}),
		// The client's timeout applies to one request. A batch may need several.
		exporterhelper.WithTimeout(exporterhelper.TimeoutConfig{}),
		exporterhelper.WithRetry(c.Retry),
		exporterhelper.WithQueue(c.Queue),
		exporterhelper.WithStart(w.start),
		exporterhelper.WithShutdown(w.shutdown))
	if err != nil {
		return nil, err
	}
	return &metricsExporter{inner, w}, nil
}

type metricsExporter struct {
	exporter.Metrics
	writer *writer
}

// Shutdown cancels requests to a server that does not answer, so that their data returns to the
// queue.
func (e *metricsExporter) Shutdown(ctx context.Context) error {
	defer e.writer.cutoff.After(shutdown.Drain)()
	return e.Metrics.Shutdown(ctx)
}
