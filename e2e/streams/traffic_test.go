// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package streams

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/auspex-otel/auspex/demo/telemetry"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

const (
	points, logs, spans = "point", "log", "span"

	queueMetric = "e2e.queue.length"
	// services send one item of every signal in each step. Two instances send those of each service.
	services  = 20
	instances = 2
	// cadence is the event time between two steps. Steps are sent faster.
	cadence = 10 * time.Second
	pause   = 40 * time.Millisecond
)

// namespaced is the number of services that share a namespace, and therefore a shard.
const namespaced = 3

func serviceName(i int) string { return fmt.Sprint("service-", i) }

// shardOf returns the expected message key of a service.
func shardOf(i int) string {
	if i < namespaced {
		return "shop"
	}
	return serviceName(i)
}

// describe sets the resource of a service. Its instance and version change, which must not move it to another
// gateway.
func describe(resource pcommon.Resource, i, step int) {
	resource.Attributes().PutStr(vocabulary.ServiceName, serviceName(i))
	if i < namespaced {
		resource.Attributes().PutStr(vocabulary.ServiceNamespace, "shop")
	}
	resource.Attributes().PutStr(vocabulary.ServiceInstanceID, fmt.Sprint("instance-", step%instances))
}

// batchOf returns a point, a log record, and a span of each service. The step follows from their event time.
func batchOf(origin time.Time, step int) telemetry.Batch {
	b := telemetry.Batch{Traces: ptrace.NewTraces(), Logs: plog.NewLogs(), Metrics: pmetric.NewMetrics()}
	at := pcommon.NewTimestampFromTime(origin.Add(time.Duration(step) * cadence))
	random := rand.New(rand.NewPCG(uint64(step), 1))
	for i := range services {
		rm := b.Metrics.ResourceMetrics().AppendEmpty()
		// A series has one instance, so that it has a point in each step.
		describe(rm.Resource(), i, 0)
		m := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
		m.SetName(queueMetric)
		point := m.SetEmptyGauge().DataPoints().AppendEmpty()
		point.SetDoubleValue(100 + 3*random.NormFloat64())
		point.SetTimestamp(at)

		rl := b.Logs.ResourceLogs().AppendEmpty()
		describe(rl.Resource(), i, step)
		record := rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
		record.Body().SetStr(fmt.Sprint("finished step ", step))
		record.SetTimestamp(at)

		rs := b.Traces.ResourceSpans().AppendEmpty()
		describe(rs.Resource(), i, step)
		span := rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
		span.SetName("work")
		span.SetStartTimestamp(at)
		span.SetEndTimestamp(at + 1e6)
		var trace [16]byte
		binary.BigEndian.PutUint64(trace[8:], uint64(step+1)) // the calls of a step are one trace
		span.SetTraceID(trace)
		var id [8]byte
		binary.BigEndian.PutUint64(id[:], uint64(step*services+i+1))
		span.SetSpanID(id)
	}
	return b
}
