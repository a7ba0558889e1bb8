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

// logsExporter runs before the queue. The ids and times that it adds are in the queue, and equal
// at every try.
type logsExporter struct {
	exporter.Logs
	window *window
}

// Capabilities states that the exporter modifies records.
func (*logsExporter) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: true}
}

// ConsumeLogs adds an id to every record without one, so that a record that is sent twice is one
// document, and two equal records are two.
func (e *logsExporter) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	if err := stamp(ld); err != nil {
		return err
	}
	return e.Logs.ConsumeLogs(ctx, ld)
}

// Shutdown ends pauses, then shuts down the exporter.
func (e *logsExporter) Shutdown(ctx context.Context) error {
	defer e.window.hurry()()
	return e.Logs.Shutdown(ctx)
}

// stamp adds a missing id and time to each record. A data stream rejects documents without a
// time.
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
				// Version 7 ids increase with time. Elasticsearch stores and finds them faster
				// than random ones.
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

// Shutdown ends pauses, then shuts down the exporter.
func (e *metricsExporter) Shutdown(ctx context.Context) error {
	defer e.window.hurry()()
	return e.Metrics.Shutdown(ctx)
}

type tracesExporter struct {
	exporter.Traces
	window *window
}

// Shutdown ends pauses, then shuts down the exporter.
func (e *tracesExporter) Shutdown(ctx context.Context) error {
	defer e.window.hurry()()
	return e.Traces.Shutdown(ctx)
}
