// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package intake

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/plog"
)

func TestBatchesOfLogsDifferByContent(t *testing.T) {
	base := func() (plog.Logs, plog.LogRecord) {
		ld := plog.NewLogs()
		lr := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
		lr.SetTimestamp(1)
		lr.Body().SetStr("took 1 ms")
		return ld, lr
	}
	ld, _ := base()
	want := LogsKey(ld)
	for name, change := range map[string]func(plog.LogRecord){
		"text of the same length": func(lr plog.LogRecord) { lr.Body().SetStr("got 10 ms") },
		"another type":            func(lr plog.LogRecord) { lr.Body().SetInt(1) },
		"attribute":               func(lr plog.LogRecord) { lr.Attributes().PutStr("k", "v") },
		"severity":                func(lr plog.LogRecord) { lr.SetSeverityNumber(plog.SeverityNumberFatal4) },
		"event":                   func(lr plog.LogRecord) { lr.SetEventName("x") },
	} {
		ld, lr := base()
		change(lr)
		assert.NotEqual(t, want, LogsKey(ld), name)
	}
	ld, lr := base()
	lr.Attributes().PutStr("log.record.template", "took <*> ms")
	lr.Attributes().PutDouble("anomaly.score", 2)
	assert.Equal(t, want, LogsKey(ld), "verdicts of an earlier try")
}
