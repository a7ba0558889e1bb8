// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package findingsreceiver

import (
	"context"

	"go.opentelemetry.io/collector/consumer"

	"github.com/auspex-otel/auspex/internal/findings"
)

// gaugeSender sends the gauges per service, and the companions of series that have stopped.
type gaugeSender struct {
	loop *loop
	next consumer.Metrics
}

func (s *gaugeSender) send(ctx context.Context) error {
	pending := s.loop.engine.PendingGauges()
	md := findings.Metrics(pending)
	n := md.DataPointCount()
	if n == 0 {
		return nil
	}
	s.loop.tap.Metrics(md)
	ctx = s.loop.obs.StartMetricsOp(ctx)
	err := s.next.ConsumeMetrics(ctx, md)
	s.loop.obs.EndMetricsOp(ctx, "engine", n, err)
	if err == nil {
		s.loop.engine.DeliveredGauges(pending)
	}
	return err
}

// eventSender sends anomalies and incidents that opened, changed, or closed.
type eventSender struct {
	loop *loop
	next consumer.Logs
}

func (s *eventSender) send(ctx context.Context) error {
	pending := s.loop.engine.PendingEvents()
	ld := findings.Logs(pending)
	n := ld.LogRecordCount()
	if n == 0 {
		return nil
	}
	s.loop.tap.Logs(ld)
	ctx = s.loop.obs.StartLogsOp(ctx)
	err := s.next.ConsumeLogs(ctx, ld)
	s.loop.obs.EndLogsOp(ctx, "engine", n, err)
	if err == nil {
		s.loop.engine.DeliveredEvents(pending)
	}
	return err
}
