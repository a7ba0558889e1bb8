// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package findingsreceiver

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"

	"github.com/auspex-otel/auspex/receiver/findingsreceiver/internal/metadata"
)

// NewFactory returns the factory of the findings receiver.
func NewFactory() receiver.Factory {
	return receiver.NewFactory(metadata.Type, createDefaultConfig,
		receiver.WithMetrics(createMetrics, metadata.MetricsStability),
		receiver.WithLogs(createLogs, metadata.LogsStability))
}

func createMetrics(_ context.Context, set receiver.Settings, cfg component.Config, next consumer.Metrics) (receiver.Metrics, error) {
	return newLoop(set, "metrics", cfg.(*Config).GaugeInterval, func(l *loop) sender { return &gaugeSender{loop: l, next: next} })
}

func createLogs(_ context.Context, set receiver.Settings, _ component.Config, next consumer.Logs) (receiver.Logs, error) {
	return newLoop(set, "logs", eventInterval, func(l *loop) sender { return &eventSender{loop: l, next: next} })
}
