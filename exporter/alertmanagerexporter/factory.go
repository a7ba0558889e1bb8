// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package alertmanagerexporter

import (
	"context"
	"fmt"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/auspex-otel/auspex/exporter/alertmanagerexporter/internal/metadata"
	"github.com/auspex-otel/auspex/internal/exporterutil"
	"github.com/auspex-otel/auspex/internal/shutdown"
)

// NewFactory returns the factory of the exporter alertmanager. It creates exporters of
// logs. The constructors of the other signals return errors that state the reason.
func NewFactory() exporter.Factory {
	return exporter.NewFactory(metadata.Type, createDefaultConfig,
		exporter.WithLogs(createLogs, metadata.LogsStability),
		exporter.WithTraces(createTraces, component.StabilityLevelUndefined),
		exporter.WithMetrics(createMetrics, component.StabilityLevelUndefined))
}

func createLogs(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Logs, error) {
	c := cfg.(*Config)
	s, err := newSender(c, set)
	if err != nil {
		return nil, err
	}
	exporterutil.WarnOfLoss(set.Logger, c.Queue, c.Retry, c.DeadLetter)
	if c.Storage == nil {
		set.Logger.Warn("storage is not set: after a restart, alerts of open incidents resolve until the incident has an update")
	}
	inner, err := exporterhelper.NewLogs(ctx, set, cfg, s.push,
		// The timeout of the client applies to one request.
		exporterhelper.WithTimeout(exporterhelper.TimeoutConfig{}),
		exporterhelper.WithRetry(c.Retry),
		exporterhelper.WithQueue(c.Queue),
		exporterhelper.WithStart(s.start),
		exporterhelper.WithShutdown(s.shutdown))
	if err != nil {
		return nil, err
	}
	return &logsExporter{inner, s}, nil
}

func createTraces(_ context.Context, set exporter.Settings, _ component.Config) (exporter.Traces, error) {
	return nil, unsupported(set.ID, "traces")
}

func createMetrics(_ context.Context, set exporter.Settings, _ component.Config) (exporter.Metrics, error) {
	return nil, unsupported(set.ID, "metrics")
}

func unsupported(id component.ID, signal string) error {
	return fmt.Errorf("exporters::%s: a pipeline of %s cannot use this exporter, because alerts are made from incidents, and incidents are log records: "+
		"use it in a pipeline of logs whose receiver is findings", id, signal)
}

type logsExporter struct {
	exporter.Logs
	sender *sender
}

// Shutdown cancels requests to an Alertmanager that does not respond, so that they return to the queue.
func (e *logsExporter) Shutdown(ctx context.Context) error {
	defer e.sender.cutoff.After(shutdown.Drain)()
	return e.Logs.Shutdown(ctx)
}
