// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/auspex-otel/auspex/internal/series"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// LogsKey identifies a batch of log records by a hash of its content. It ignores verdicts, because a repeated batch
// may contain those of the first time.
func LogsKey(ld plog.Logs) series.ID {
	key := series.Number(uint64(ld.ResourceLogs().Len()))
	for _, rl := range ld.ResourceLogs().All() {
		key = key.Join(series.Attributes(rl.Resource().Attributes()))
		for _, sl := range rl.ScopeLogs().All() {
			key = key.Join(series.Number(uint64(sl.LogRecords().Len())))
			for _, lr := range sl.LogRecords().All() {
				span := lr.SpanID()
				key = key.Join(series.Number(uint64(lr.Timestamp()))).Join(series.Number(uint64(lr.ObservedTimestamp()))).
					Join(series.Text(string(span[:]))).Join(series.Number(uint64(lr.SeverityNumber()))).Join(series.Text(lr.EventName())).
					Join(series.Value(lr.Body()))
				attributes := series.ID(0) // a sum, because their order is not significant
				for name, v := range lr.Attributes().All() {
					if !vocabulary.OwnLogAttribute(name) {
						attributes += series.Text(name).Join(series.Value(v))
					}
				}
				key = key.Join(attributes)
			}
		}
	}
	return key
}

// TracesKey identifies a batch of spans by their ids.
func TracesKey(td ptrace.Traces) series.ID {
	key := series.Number(uint64(td.ResourceSpans().Len()))
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			key = key.Join(series.Number(uint64(ss.Spans().Len())))
			for _, span := range ss.Spans().All() {
				id := span.SpanID()
				key = key.Join(series.ID(uint64(id[0])<<56 | uint64(id[1])<<48 | uint64(id[2])<<40 | uint64(id[3])<<32 |
					uint64(id[4])<<24 | uint64(id[5])<<16 | uint64(id[6])<<8 | uint64(id[7]))).Join(series.Number(uint64(span.EndTimestamp())))
			}
		}
	}
	return key
}
