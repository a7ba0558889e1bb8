// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package reliableotlpexporter

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"

	"github.com/auspex-otel/auspex/internal/shutdown"
)

// bounded is an exporter whose shutdown takes a bounded time.
type bounded struct {
	component.Component
	cutoff *shutdown.Cutoff
}

// Shutdown cancels requests to a next hop that does not answer, so that their data returns to the
// queue.
func (b bounded) Shutdown(ctx context.Context) error {
	defer b.cutoff.After(shutdown.Drain)()
	return b.Component.Shutdown(ctx)
}

type logsExporter struct {
	bounded
	consumer.Logs
}

type metricsExporter struct {
	bounded
	consumer.Metrics
}

type tracesExporter struct {
	bounded
	consumer.Traces
}
