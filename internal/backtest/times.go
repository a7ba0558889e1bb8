// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package backtest

import (
	"math"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

func logTime(l plog.LogRecord) int64 {
	if t := l.Timestamp(); t != 0 {
		return int64(t)
	}
	return int64(l.ObservedTimestamp())
}

func earliestLog(ld plog.Logs) int64 {
	least := int64(math.MaxInt64)
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, l := range sl.LogRecords().All() {
				if t := logTime(l); t > 0 {
					least = min(least, t)
				}
			}
		}
	}
	return least
}

func earliestSpan(td ptrace.Traces) int64 {
	least := int64(math.MaxInt64)
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, s := range ss.Spans().All() {
				if t := int64(s.StartTimestamp()); t > 0 {
					least = min(least, t)
				}
			}
		}
	}
	return least
}
