// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"

	"github.com/auspex-otel/auspex/e2e/clients"
)

const (
	junkBatch = 500
	// junkTime is the planned duration of one flood of junk.
	junkTime  = 8 * time.Second
	junkKinds = 4
)

// junk floods the engine with series, templates, operations, and services that occur once.
func junk(ctx context.Context, s *stage) error {
	conn := clients.Dial(s.t, s.victim.junk)
	batches := max(1, s.junkOfFlood()/junkBatch)
	return s.measure(func() error {
		began := time.Now()
		for i := range batches {
			time.Sleep(time.Until(began.Add(junkTime * time.Duration(i) / time.Duration(batches))))
			sendJunk(ctx, conn, s.junk)
			s.junk += junkBatch
		}
		return nil
	})
}

// junkOfFlood returns the number of junk records of the next flood: those that are due by now, and at least a tenth
// of all.
func (s *stage) junkOfFlood() int {
	due := float64(s.plan.junk) * min(1, time.Since(s.began).Seconds()/s.time.Seconds())
	return max(int(due)-s.junk, s.plan.junk/10)
}

// sendJunk sends one batch of one kind and ignores a rejection.
func sendJunk(ctx context.Context, conn *grpc.ClientConn, first int) {
	ctx, cancel := context.WithTimeout(ctx, clients.AnswerWithin)
	defer cancel()
	switch first / junkBatch % junkKinds {
	case 0:
		_, _ = pmetricotlp.NewGRPCClient(conn).Export(ctx, pmetricotlp.NewExportRequestFromMetrics(junkSeries(first)))
	case 1:
		_, _ = plogotlp.NewGRPCClient(conn).Export(ctx, plogotlp.NewExportRequestFromLogs(junkTemplates(first)))
	case 2:
		_, _ = ptraceotlp.NewGRPCClient(conn).Export(ctx, ptraceotlp.NewExportRequestFromTraces(junkSpans(first, false)))
	default:
		_, _ = ptraceotlp.NewGRPCClient(conn).Export(ctx, ptraceotlp.NewExportRequestFromTraces(junkSpans(first, true)))
	}
}

// word spells a number in letters, so that template mining does not treat it as a variable.
func word(n int) string {
	letters := []byte("junk")
	for ; n > 0; n /= 26 {
		letters = append(letters, byte('a'+n%26))
	}
	return string(letters)
}

func junkSeries(first int) pmetric.Metrics {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.name", "junk")
	m := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName("junk")
	points := m.SetEmptyGauge().DataPoints()
	for n := first; n < first+junkBatch; n++ {
		dp := points.AppendEmpty()
		dp.SetTimestamp(pcommon.NewTimestampFromTime(time.Now()))
		dp.SetDoubleValue(float64(n))
		dp.Attributes().PutStr("user", word(n))
	}
	return md
}

func junkTemplates(first int) plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("service.name", "junk")
	records := rl.ScopeLogs().AppendEmpty().LogRecords()
	for n := first; n < first+junkBatch; n++ {
		lr := records.AppendEmpty()
		lr.SetTimestamp(pcommon.NewTimestampFromTime(time.Now()))
		lr.Body().SetStr(fmt.Sprintf("%s %s %s came", word(n), word(3*n), word(7*n)))
	}
	return ld
}

// junkSpans returns spans of operations, or of services, that occur once.
func junkSpans(first int, services bool) ptrace.Traces {
	td := ptrace.NewTraces()
	for n := first; n < first+junkBatch; n++ {
		service, operation := "junk", word(n)
		if services {
			service, operation = operation, "junk"
		}
		rs := td.ResourceSpans().AppendEmpty()
		rs.Resource().Attributes().PutStr("service.name", service)
		span := rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
		span.SetName(operation)
		span.SetTraceID([16]byte{1, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
		span.SetSpanID([8]byte{1, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
		now := time.Now()
		span.SetStartTimestamp(pcommon.NewTimestampFromTime(now.Add(-time.Millisecond)))
		span.SetEndTimestamp(pcommon.NewTimestampFromTime(now))
	}
	return td
}
