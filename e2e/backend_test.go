// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"
)

// backend is an OTLP server that passes each received request to the test.
type backend struct {
	address string
	mu      sync.Mutex
	traces  func(ptrace.Traces)
	logs    func(plog.Logs)
	metrics func(pmetric.Metrics)
}

type traceServer struct {
	ptraceotlp.UnimplementedGRPCServer
	*backend
}

type logServer struct {
	plogotlp.UnimplementedGRPCServer
	*backend
}

type metricServer struct {
	pmetricotlp.UnimplementedGRPCServer
	*backend
}

// start listens until the test ends.
func (b *backend) start(t *testing.T) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	b.address = l.Addr().String()
	s := grpc.NewServer(grpc.MaxRecvMsgSize(64 << 20))
	ptraceotlp.RegisterGRPCServer(s, &traceServer{backend: b})
	plogotlp.RegisterGRPCServer(s, &logServer{backend: b})
	pmetricotlp.RegisterGRPCServer(s, &metricServer{backend: b})
	go func() { _ = s.Serve(l) }()
	t.Cleanup(s.Stop)
}

func (s *traceServer) Export(_ context.Context, r ptraceotlp.ExportRequest) (ptraceotlp.ExportResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.traces != nil {
		s.traces(r.Traces())
	}
	return ptraceotlp.NewExportResponse(), nil
}

func (s *logServer) Export(_ context.Context, r plogotlp.ExportRequest) (plogotlp.ExportResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.logs != nil {
		s.logs(r.Logs())
	}
	return plogotlp.NewExportResponse(), nil
}

func (s *metricServer) Export(_ context.Context, r pmetricotlp.ExportRequest) (pmetricotlp.ExportResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.metrics != nil {
		s.metrics(r.Metrics())
	}
	return pmetricotlp.NewExportResponse(), nil
}
