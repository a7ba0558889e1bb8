// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package elasticsearchexporter

import (
	"context"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// logsExporter stands ahead of the queue: what it adds to a record is in the
// queue with it, and the same at every try.
type logsExporter struct {
	exporter.Logs
	window *window
}

// Capabilities tells the collector that records are written to.
func (*logsExporter) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: true}
}

// ConsumeLogs gives every record an id that has none, so that a record that is
// sent twice is one document, and two equal records are two.
func (e *logsExporter) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	if err := stamp(ld); err != nil {
		return err
	}
	return e.Logs.ConsumeLogs(ctx, ld)
}

// Shutdown ends pauses, then the exporter.
func (e *logsExporter) Shutdown(ctx context.Context) error {
	defer e.window.hurry()()
	return e.Logs.Shutdown(ctx)
}

// stamp sets what a record lacks to be one document: an id, and a time. A data
// stream takes no document without a time.
func stamp(ld plog.Logs) error {
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				if lr.Timestamp() == 0 && lr.ObservedTimestamp() == 0 {
					lr.SetObservedTimestamp(pcommon.NewTimestampFromTime(time.Now()))
				}
				if v, ok := lr.Attributes().Get(vocabulary.RecordUID); ok && v.AsString() != "" {
					continue
				}
				// Ids of version 7 grow with time, which Elasticsearch stores and looks up faster than random ones.
				id, err := uuid.NewV7()
				if err != nil {
					return err
				}
				lr.Attributes().PutStr(vocabulary.RecordUID, id.String())
			}
		}
	}
	return nil
}

type metricsExporter struct {
	exporter.Metrics
	window *window
}

// Shutdown ends pauses, then the exporter.
func (e *metricsExporter) Shutdown(ctx context.Context) error {
	defer e.window.hurry()()
	return e.Metrics.Shutdown(ctx)
}

type tracesExporter struct {
	exporter.Traces
	window *window
}

// Shutdown ends pauses, then the exporter.
func (e *tracesExporter) Shutdown(ctx context.Context) error {
	defer e.window.hurry()()
	return e.Traces.Shutdown(ctx)
}
