// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package elasticsearchbulkreceiver

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"

	"github.com/auspex-otel/auspex/internal/receiverutil"
	"github.com/auspex-otel/auspex/receiver/elasticsearchbulkreceiver/internal/metadata"
)

// servers holds the servers that the pipelines of logs and metrics share.
var servers receiverutil.Instances[*server]

// NewFactory returns the factory of the elasticsearch_bulk receiver.
func NewFactory() receiver.Factory {
	return receiver.NewFactory(metadata.Type, createDefaultConfig,
		receiver.WithLogs(createLogs, metadata.LogsStability),
		receiver.WithMetrics(createMetrics, metadata.MetricsStability))
}

func create(set receiver.Settings, cfg component.Config) (*receiverutil.Instance[*server], error) {
	return servers.Get(cfg, func() (*server, error) { return newServer(cfg.(*Config), set) })
}

func createLogs(_ context.Context, set receiver.Settings, cfg component.Config, next consumer.Logs) (receiver.Logs, error) {
	in, err := create(set, cfg)
	if err != nil {
		return nil, err
	}
	in.Component.logs = next
	return in, nil
}

func createMetrics(_ context.Context, set receiver.Settings, cfg component.Config, next consumer.Metrics) (receiver.Metrics, error) {
	in, err := create(set, cfg)
	if err != nil {
		return nil, err
	}
	in.Component.metrics = next
	return in, nil
}
