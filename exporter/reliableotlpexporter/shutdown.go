// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package reliableotlpexporter

import (
	"context"

	"go.opentelemetry.io/collector/exporter"

	"github.com/auspex-otel/auspex/internal/shutdown"
)

type logsExporter struct {
	exporter.Logs
	cutoff *shutdown.Cutoff
}

// Shutdown cancels requests to a next hop that does not answer, so that they return to the queue.
func (e *logsExporter) Shutdown(ctx context.Context) error {
	defer e.cutoff.After(shutdown.Drain)()
	return e.Logs.Shutdown(ctx)
}

type metricsExporter struct {
	exporter.Metrics
	cutoff *shutdown.Cutoff
}

// Shutdown cancels requests to a next hop that does not answer, so that they return to the queue.
func (e *metricsExporter) Shutdown(ctx context.Context) error {
	defer e.cutoff.After(shutdown.Drain)()
	return e.Metrics.Shutdown(ctx)
}

type tracesExporter struct {
	exporter.Traces
	cutoff *shutdown.Cutoff
}

// Shutdown cancels requests to a next hop that does not answer, so that they return to the queue.
func (e *tracesExporter) Shutdown(ctx context.Context) error {
	defer e.cutoff.After(shutdown.Drain)()
	return e.Traces.Shutdown(ctx)
}
