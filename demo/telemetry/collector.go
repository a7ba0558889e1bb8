// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

const (
	// patience is the time in which a batch is retried, with pauseBetween between attempts.
	patience     = time.Minute
	pauseBetween = 200 * time.Millisecond
)

// collector sends over OTLP/gRPC.
type collector struct {
	conn    *grpc.ClientConn
	traces  ptraceotlp.GRPCClient
	logs    plogotlp.GRPCClient
	metrics pmetricotlp.GRPCClient
}

// Dial returns a sink that sends over OTLP/gRPC without encryption to an endpoint on this machine. It retries
// retryable errors for a minute.
func Dial(endpoint string) (Sink, error) {
	conn, err := grpc.NewClient(endpoint, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, err
	}
	return &collector{conn, ptraceotlp.NewGRPCClient(conn), plogotlp.NewGRPCClient(conn), pmetricotlp.NewGRPCClient(conn)}, nil
}

// Send sends traces and logs before the metrics, which are read at the end of an interval.
func (c *collector) Send(ctx context.Context, b Batch) error {
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	if b.Traces.SpanCount() > 0 {
		if err := again(ctx, func() error {
			_, err := c.traces.Export(ctx, ptraceotlp.NewExportRequestFromTraces(b.Traces))
			return err
		}); err != nil {
			return fmt.Errorf("the collector rejected the traces: %w", err)
		}
	}
	if b.Logs.LogRecordCount() > 0 {
		if err := again(ctx, func() error {
			_, err := c.logs.Export(ctx, plogotlp.NewExportRequestFromLogs(b.Logs))
			return err
		}); err != nil {
			return fmt.Errorf("the collector rejected the logs: %w", err)
		}
	}
	if err := again(ctx, func() error {
		_, err := c.metrics.Export(ctx, pmetricotlp.NewExportRequestFromMetrics(b.Metrics))
		return err
	}); err != nil {
		return fmt.Errorf("the collector rejected the metrics: %w", err)
	}
	return nil
}

// again retries send until it succeeds, fails permanently, or ctx ends.
func again(ctx context.Context, send func() error) error {
	for {
		err := send()
		if code := status.Code(err); code != codes.Unavailable && code != codes.ResourceExhausted {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pauseBetween):
		}
	}
}

func (c *collector) Close() error { return c.conn.Close() }
