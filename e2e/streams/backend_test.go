// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package streams

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"
	_ "google.golang.org/grpc/encoding/gzip" // what senders use

	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// backend is an OTLP server behind one gateway. It acknowledges everything, and records what arrived.
type backend struct {
	address string
	origin  time.Time // event time of step 0

	mu sync.Mutex
	// items counts arrivals of each item, first has the time of the first.
	items map[item]int
	first map[item]time.Time
	// verdicts holds the steps with a score, by service.
	verdicts map[string]map[int]bool
}

// item identifies a data point, a log record, or a span.
type item struct {
	signal, service string
	step            int
}

func startBackend(t *testing.T, origin time.Time) *backend {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	b := &backend{address: l.Addr().String(), origin: origin, items: map[item]int{}, first: map[item]time.Time{}, verdicts: map[string]map[int]bool{}}
	s := grpc.NewServer(grpc.MaxRecvMsgSize(64 << 20))
	ptraceotlp.RegisterGRPCServer(s, &traceServer{backend: b})
	plogotlp.RegisterGRPCServer(s, &logServer{backend: b})
	pmetricotlp.RegisterGRPCServer(s, &metricServer{backend: b})
	go func() { _ = s.Serve(l) }()
	t.Cleanup(s.Stop)
	return b
}

// take records an item. The caller holds the lock.
func (b *backend) take(signal string, resource pcommon.Resource, at pcommon.Timestamp) {
	i := item{signal, serviceOf(resource), b.step(at)}
	if b.items[i]++; b.items[i] == 1 {
		b.first[i] = time.Now()
	}
}

func (b *backend) step(at pcommon.Timestamp) int {
	return int(at.AsTime().Sub(b.origin) / cadence)
}

func serviceOf(resource pcommon.Resource) string {
	name, _ := resource.Attributes().Get(vocabulary.ServiceName)
	return name.Str()
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

func (s *traceServer) Export(_ context.Context, r ptraceotlp.ExportRequest) (ptraceotlp.ExportResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, rs := range r.Traces().ResourceSpans().All() {
		for _, span := range rs.ScopeSpans().At(0).Spans().All() {
			s.take(spans, rs.Resource(), span.StartTimestamp())
		}
	}
	return ptraceotlp.NewExportResponse(), nil
}

func (s *logServer) Export(_ context.Context, r plogotlp.ExportRequest) (plogotlp.ExportResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, rl := range r.Logs().ResourceLogs().All() {
		for _, record := range rl.ScopeLogs().At(0).LogRecords().All() {
			s.take(logs, rl.Resource(), record.Timestamp())
		}
	}
	return plogotlp.NewExportResponse(), nil
}

func (s *metricServer) Export(_ context.Context, r pmetricotlp.ExportRequest) (pmetricotlp.ExportResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, rm := range r.Metrics().ResourceMetrics().All() {
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				s.takeMetric(rm.Resource(), m)
			}
		}
	}
	return pmetricotlp.NewExportResponse(), nil
}

// takeMetric records the points of the service, and the verdicts on them.
func (s *metricServer) takeMetric(resource pcommon.Resource, m pmetric.Metric) {
	if m.Type() != pmetric.MetricTypeGauge {
		return
	}
	for _, dp := range m.Gauge().DataPoints().All() {
		switch about, _ := dp.Attributes().Get(vocabulary.AttrMetric); {
		case m.Name() == queueMetric:
			s.take(points, resource, dp.Timestamp())
		case m.Name() == vocabulary.MetricScore && about.Str() == queueMetric:
			service := serviceOf(resource)
			if s.verdicts[service] == nil {
				s.verdicts[service] = map[int]bool{}
			}
			s.verdicts[service][s.step(dp.Timestamp())] = true
		}
	}
}
