// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package clients

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/auspex-otel/auspex/internal/peertest"
)

// Dial connects over gRPC and reconnects shortly after a connection fails.
func Dial(t peertest.TB, at string) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(at, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.Config{BaseDelay: 20 * time.Millisecond, Multiplier: 1, MaxDelay: 20 * time.Millisecond}}))
	if err != nil {
		t.Fatalf("gRPC client of %s: %v", at, err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func otlpGRPC(t peertest.TB, at string) Client {
	t.Helper()
	conn := Dial(t, at)
	logs, metrics := plogotlp.NewGRPCClient(conn), pmetricotlp.NewGRPCClient(conn)
	return func(ctx context.Context, b Batch) error {
		ctx, cancel := context.WithTimeout(ctx, AnswerWithin)
		defer cancel()
		if len(b.Logs) > 0 {
			answer, err := logs.Export(ctx, plogotlp.NewExportRequestFromLogs(b.logs()))
			if err != nil {
				return err
			}
			return rejected(answer.PartialSuccess().RejectedLogRecords())
		}
		answer, err := metrics.Export(ctx, pmetricotlp.NewExportRequestFromMetrics(b.metrics()))
		if err != nil {
			return err
		}
		return rejected(answer.PartialSuccess().RejectedDataPoints())
	}
}

func rejected(records int64) error {
	if records > 0 {
		return fmt.Errorf("the receiver rejected %d records", records)
	}
	return nil
}

func otlpHTTP(ctx context.Context, web *http.Client, at string, b Batch) error {
	path, marshal := "/v1/metrics", func() ([]byte, error) { return pmetricotlp.NewExportRequestFromMetrics(b.metrics()).MarshalProto() }
	if len(b.Logs) > 0 {
		path, marshal = "/v1/logs", func() ([]byte, error) { return plogotlp.NewExportRequestFromLogs(b.logs()).MarshalProto() }
	}
	body, err := marshal()
	if err != nil {
		return err
	}
	status, answer := Post(ctx, web, "http://"+at+path, "application/x-protobuf", nil, body)
	if err := succeeded(status, answer); err != nil {
		return err
	}
	if len(b.Logs) > 0 {
		read := plogotlp.NewExportResponse()
		if err := read.UnmarshalProto(answer); err != nil {
			return err
		}
		return rejected(read.PartialSuccess().RejectedLogRecords())
	}
	read := pmetricotlp.NewExportResponse()
	if err := read.UnmarshalProto(answer); err != nil {
		return err
	}
	return rejected(read.PartialSuccess().RejectedDataPoints())
}

func (b Batch) logs() plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("service.name", b.Service)
	records := rl.ScopeLogs().AppendEmpty().LogRecords()
	for _, l := range b.Logs {
		lr := records.AppendEmpty()
		lr.SetTimestamp(pcommon.NewTimestampFromTime(l.Time))
		lr.Body().SetStr(l.Text)
	}
	return ld
}

func (b Batch) metrics() pmetric.Metrics {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.name", b.Service)
	m := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName(b.Metric)
	points := m.SetEmptyGauge().DataPoints()
	for _, p := range b.Points {
		dp := points.AppendEmpty()
		dp.SetTimestamp(pcommon.NewTimestampFromTime(p.Time))
		dp.SetDoubleValue(p.Value)
		for k, v := range p.Labels {
			dp.Attributes().PutStr(k, v)
		}
	}
	return md
}
