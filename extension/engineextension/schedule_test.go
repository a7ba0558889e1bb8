// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engineextension

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/auspex-otel/auspex/internal/engine"
)

// observe gives an engine a point of a new service.
func observe(e *engine.Engine, service string) {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.name", service)
	m := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName("m")
	p := m.SetEmptyGauge().DataPoints().AppendEmpty()
	p.SetTimestamp(pcommon.NewTimestampFromTime(time.Now()))
	p.SetDoubleValue(1)
	e.ObserveMetrics(md, engine.Output{})
}

func newScheduled(t *testing.T, path string) (*schedule, *engine.Engine, *observer.ObservedLogs) {
	t.Helper()
	e := engine.New(engine.DefaultConfig(), zap.NewNop())
	e.Tick(time.Now())
	core, logs := observer.New(zapcore.ErrorLevel)
	s, err := openSchedule(path, e, zap.New(core))
	require.NoError(t, err)
	return s, e, logs
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	_, err = engine.ReadSchedule(bytes.NewReader(b))
	require.NoError(t, err)
	return b
}

// TestScheduleIsAppended verifies that a collector that starts again continues the file.
func TestScheduleIsAppended(t *testing.T) {
	path := filepath.Join(t.TempDir(), "schedule.jsonl")
	for _, service := range []string{"shop", "bank"} {
		s, e, _ := newScheduled(t, path)
		observe(e, service)
		require.NoError(t, s.close())
	}
	text := read(t, path)
	assert.Contains(t, string(text), `"service":"shop"`)
	assert.Contains(t, string(text), `"service":"bank"`)
}

// TestScheduleIsBounded verifies that a large file is continued in a new one, which is complete.
func TestScheduleIsBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "schedule.jsonl")
	s, e, _ := newScheduled(t, path)
	observe(e, "shop")
	s.write()
	s.most = 1
	observe(e, "bank")
	s.write()
	s.most = mostSchedule
	require.NoError(t, s.close())
	assert.NotContains(t, string(read(t, path+".1")), `"service":"bank"`)
	for _, service := range []string{"shop", "bank"} {
		assert.Contains(t, string(read(t, path)), `"service":"`+service+`"`)
	}
}

// TestScheduleReportsErrors verifies that an error is logged once, and that the file is complete after it.
func TestScheduleReportsErrors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "schedule.jsonl")
	s, e, logs := newScheduled(t, path)
	require.NoError(t, s.file.Close())
	observe(e, "shop")
	s.write()
	s.write()
	assert.Len(t, logs.FilterMessageSnippet("Cannot write the schedule").All(), 1)
	require.NoError(t, s.open())
	require.NoError(t, s.close())
	assert.Contains(t, string(read(t, path)), `"service":"shop"`)

	_, err := openSchedule(filepath.Join(path, "x"), e, zap.NewNop())
	assert.ErrorContains(t, err, "schedule_file: open "+path)
}
