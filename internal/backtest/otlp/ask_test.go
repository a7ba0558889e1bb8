// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package otlp

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/auspex-otel/auspex/internal/engine"
)

var askStart = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// minutesOf writes half an hour of two services, a line a minute and service, the
// callee's first: from the 20th minute to the 23rd pay returns early and does not log.
func minutesOf(t *testing.T, until time.Duration) string {
	t.Helper()
	dir := t.TempDir()
	var spans, logs, metrics []byte
	for minute := time.Duration(0); minute < until; minute += time.Minute {
		front, pay := ptrace.NewTraces(), ptrace.NewTraces()
		lines := plog.NewLogs()
		for s := time.Duration(0); s < time.Minute && minute+s < until; s += time.Second {
			at := minute + s
			broken := at >= 20*time.Minute && at < 23*time.Minute
			id := pcommon.TraceID{15: byte(s / time.Second), 14: byte(minute / time.Minute), 0: 1}
			oneSpan(front, "front", "order", id, 1, 0, at, 50*time.Millisecond)
			oneSpan(pay, "pay", "charge", id, 2, 1, at+10*time.Millisecond, 20*time.Millisecond)
			if !broken {
				oneSpan(pay, "pay", "transfer", id, 3, 2, at+15*time.Millisecond, 10*time.Millisecond)
				oneLine(lines, "pay", "charged 12 to account 7", id, 2, at+28*time.Millisecond)
			}
		}
		for _, td := range []ptrace.Traces{pay, front} {
			b, err := (&ptrace.JSONMarshaler{}).MarshalTraces(td)
			require.NoError(t, err)
			spans = append(append(spans, b...), '\n')
		}
		b, err := (&plog.JSONMarshaler{}).MarshalLogs(lines)
		require.NoError(t, err)
		logs = append(append(logs, b...), '\n')
		b, err = (&pmetric.JSONMarshaler{}).MarshalMetrics(cpuOf("pay", minute))
		require.NoError(t, err)
		metrics = append(append(metrics, b...), '\n')
	}
	for name, b := range map[string][]byte{"a.traces.json": spans, "b.logs.json": logs, "c.metrics.json": metrics} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), b, 0o600))
	}
	return dir
}

func at(d time.Duration) pcommon.Timestamp { return pcommon.NewTimestampFromTime(askStart.Add(d)) }

func oneSpan(td ptrace.Traces, service, name string, id pcommon.TraceID, span, parent byte, start, length time.Duration) {
	rs := td.ResourceSpans().AppendEmpty()
	rs.Resource().Attributes().PutStr("service.name", service)
	s := rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	s.SetName(name)
	s.SetTraceID(id)
	s.SetSpanID(pcommon.SpanID{7: span})
	s.SetParentSpanID(pcommon.SpanID{7: parent})
	s.SetKind(ptrace.SpanKindServer)
	s.SetStartTimestamp(at(start))
	s.SetEndTimestamp(at(start + length))
}

func oneLine(ld plog.Logs, service, body string, id pcommon.TraceID, span byte, t time.Duration) {
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("service.name", service)
	l := rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	l.Body().SetStr(body)
	l.SetTraceID(id)
	l.SetSpanID(pcommon.SpanID{7: span})
	l.SetTimestamp(at(t))
}

func cpuOf(service string, t time.Duration) pmetric.Metrics {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.name", service)
	rm.Resource().Attributes().PutStr("k8s.pod.name", service+"-1")
	m := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName("k8s.pod.cpu.usage")
	p := m.SetEmptyGauge().DataPoints().AppendEmpty()
	p.SetTimestamp(at(t))
	p.SetDoubleValue(0.2 + 0.01*float64(t/time.Minute%3))
	return md
}

func ask(d time.Duration) Ask { return Ask{InjectedAt: askStart.Add(d).Format(askLayout)} }

func TestAsks(t *testing.T) {
	dir := minutesOf(t, 30*time.Minute)
	asks := []Ask{ask(40 * time.Minute), ask(20 * time.Minute), ask(10 * time.Minute), ask(-time.Hour)} // in any order
	assert.Equal(t, []string{
		`{"injected_at":"2026-05-04 12:40:00Z","suspects":[]}`,
		`{"injected_at":"2026-05-04 12:20:00Z","suspects":["pay"]}`,
		`{"injected_at":"2026-05-04 12:10:00Z","suspects":[]}`,
		`{"injected_at":"2026-05-04 11:00:00Z","suspects":[]}`,
	}, predictions(t, dir, asks))
}

// What is answered does not depend on what was recorded later than three minutes after it.
func TestAsksDoNotLookAhead(t *testing.T) {
	asks := []Ask{ask(19 * time.Minute)}
	whole := predictions(t, minutesOf(t, 30*time.Minute), asks)
	assert.Equal(t, predictions(t, minutesOf(t, 22*time.Minute), asks), whole)
	assert.Equal(t, []string{`{"injected_at":"2026-05-04 12:19:00Z","suspects":["pay"]}`}, whole)
}

// An incident is the same whether or not something was asked before it.
func TestAsksChangeNothing(t *testing.T) {
	dir, out := minutesOf(t, 30*time.Minute), t.TempDir()
	var incidents [2][]byte
	for i, asks := range [][]Ask{nil, {ask(5 * time.Minute), ask(17 * time.Minute), ask(18 * time.Minute)}} {
		_, err := Run(Options{In: []string{dir}, Out: out, Engine: engine.DefaultConfig(), Asks: asks, Predictions: filepath.Join(t.TempDir(), "p.jsonl")})
		require.NoError(t, err)
		incidents[i], err = os.ReadFile(filepath.Join(out, "incidents.jsonl"))
		require.NoError(t, err)
	}
	assert.NotEmpty(t, incidents[0])
	assert.Equal(t, string(incidents[0]), string(incidents[1]))
}

// predictions returns the lines that a backtest of a folder answers.
func predictions(t *testing.T, dir string, asks []Ask) []string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "p.jsonl")
	r, err := Run(Options{In: []string{dir}, Out: filepath.Join(t.TempDir(), "out"), Engine: engine.DefaultConfig(), Asks: asks, Predictions: file})
	require.NoError(t, err)
	require.Empty(t, r.Failed)
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	return strings.Split(strings.TrimSpace(string(b)), "\n")
}

func TestReadAsks(t *testing.T) {
	file := filepath.Join(t.TempDir(), "asks.json")
	for text, want := range map[string]string{
		`{`: "unexpected end",
		`[{"injected_at": "2026-05-04T12:00:00Z"}]`: "cannot parse",
	} {
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		_, err := ReadAsks(file)
		assert.ErrorContains(t, err, want)
	}
	_, err := ReadAsks(file + "x")
	assert.ErrorIs(t, err, os.ErrNotExist)
}
