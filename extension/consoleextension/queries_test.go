// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package consoleextension

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/auspex-otel/auspex/internal/engine"
)

// golden compares an answer with a file in testdata; UPDATE=1 writes it.
func golden(t *testing.T, name string, value any) {
	t.Helper()
	got, err := json.MarshalIndent(value, "", "  ")
	require.NoError(t, err)
	file := filepath.Join("testdata", "golden", name+".json")
	if os.Getenv("UPDATE") != "" {
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, append(got, '\n'), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got)+"\n")
}

// charted starts a console that has drawn a busy engine from its first point on, with calls and log lines besides.
func charted(t *testing.T) (base string, e *engine.Engine, c *console) {
	t.Helper()
	e, c = newEngine(), newTestConsole("127.0.0.1:0")
	e.SetCharts(c.api.charts)
	e.Tick(start.Add(2 * time.Hour))
	for i := range 100 {
		at := start.Add(time.Duration(i) * 15 * time.Second)
		e.ObserveTraces(calls(i, at))
		e.ObserveLogs(lines(i, at), false)
	}
	busy(e)
	return startThis(t, c, newHost(e)), e, c
}

// calls is one request of the service web, which calls the service cart.
func calls(i int, at time.Time) ptrace.Traces {
	td := ptrace.NewTraces()
	add := func(service, name string, kind ptrace.SpanKind, id, parent byte, took time.Duration) {
		rs := td.ResourceSpans().AppendEmpty()
		rs.Resource().Attributes().PutStr("service.name", service)
		s := rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
		s.SetTraceID(pcommon.TraceID{1, byte(i + 1)})
		s.SetSpanID(pcommon.SpanID{id, byte(i + 1)})
		if parent > 0 {
			s.SetParentSpanID(pcommon.SpanID{parent, byte(i + 1)})
		}
		s.SetName(name)
		s.SetKind(kind)
		s.SetStartTimestamp(pcommon.NewTimestampFromTime(at))
		s.SetEndTimestamp(pcommon.NewTimestampFromTime(at.Add(took)))
	}
	add("web", "GET /", ptrace.SpanKindServer, 1, 0, 100*time.Millisecond)
	add("web", "POST", ptrace.SpanKindClient, 2, 1, 60*time.Millisecond)
	add("cart", "POST /add", ptrace.SpanKindServer, 3, 2, 50*time.Millisecond)
	return td
}

func lines(i int, at time.Time) plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("service.name", "web")
	for n, text := range []string{fmt.Sprintf("served page %d in %d ms", i, i*7%50), "cache is warm"} {
		if n == 1 && i > 20 {
			continue // it vanishes
		}
		lr := rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
		lr.SetTimestamp(pcommon.NewTimestampFromTime(at))
		lr.Body().SetStr(text)
	}
	return ld
}

func TestSeriesAnswers(t *testing.T) {
	base, _, _ := charted(t)
	list := getJSON(t, base+"/api/v1/series?q=checkout+QUEUE").list(t, "series")
	require.Len(t, list, 1)
	id := list[0]["id"].(string)
	one := getJSON(t, base+"/api/v1/series/"+id)
	require.Equal(t, http.StatusOK, one.status, one.raw)
	golden(t, "series", one.body)

	points := getJSON(t, base+"/api/v1/series/"+id+"/points?from=2026-03-02T10:12:30Z")
	require.Equal(t, http.StatusOK, points.status, points.raw)
	golden(t, "points", points.body)
	few := getJSON(t, base+"/api/v1/series/"+id+"/points?limit=10")
	assert.Len(t, few.body["time"], 10)
	assert.Equal(t, map[string]any{"time": []any{}, "value": []any{}, "min": []any{}, "max": []any{}, "expected": []any{}, "lower": []any{}, "upper": []any{}, "score": []any{}},
		getJSON(t, base+"/api/v1/series/0000000000000000/points").body)
}

func TestTemplatesAnswers(t *testing.T) {
	base, _, _ := charted(t)
	a := getJSON(t, base+"/api/v1/templates")
	require.Equal(t, http.StatusOK, a.status, a.raw)
	golden(t, "templates", a.body)
	assert.Len(t, getJSON(t, base+"/api/v1/templates?q=CACHE").list(t, "templates"), 1)
	assert.Len(t, getJSON(t, base+"/api/v1/templates?limit=1").list(t, "templates"), 1)
	assert.Empty(t, getJSON(t, base+"/api/v1/templates?service=cart").list(t, "templates"))
	assert.Empty(t, getJSON(t, base+"/api/v1/templates?state=new").list(t, "templates"))
}

func TestTemplateStates(t *testing.T) {
	e, c := newEngine(), newTestConsole("127.0.0.1:0")
	e.Tick(start.Add(4 * time.Hour))
	for i := range 1000 { // 250 minutes
		e.ObserveLogs(lines(i, start.Add(time.Duration(i)*15*time.Second)), false)
	}
	ld := lines(50, start.Add(1000*15*time.Second))
	ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Body().SetStr("something else entirely")
	e.ObserveLogs(ld, false)
	base := startThis(t, c, newHost(e))
	for state, text := range map[string]string{"vanished": "cache is warm", "new": "something else entirely"} {
		list := getJSON(t, base+"/api/v1/templates?state="+state).list(t, "templates")
		require.Len(t, list, 1, "%s: %s", state, getJSON(t, base+"/api/v1/templates").raw)
		assert.Equal(t, text, list[0]["template"])
	}
}

func TestServicesAnswers(t *testing.T) {
	base, _, _ := charted(t)
	a := getJSON(t, base+"/api/v1/services")
	require.Equal(t, http.StatusOK, a.status, a.raw)
	golden(t, "services", a.body)
}

func TestHealthAnswers(t *testing.T) {
	base, _, _ := charted(t)
	a := getJSON(t, base+"/api/v1/health")
	require.Equal(t, http.StatusOK, a.status, a.raw)
	golden(t, "health", a.body)
}

func TestIncidentAnswer(t *testing.T) {
	base, e, _ := charted(t)
	a := getJSON(t, base+"/api/v1/incidents/"+e.Incidents("open")[0].ID)
	require.Equal(t, http.StatusOK, a.status, a.raw)
	golden(t, "incident", a.body)
}

func TestWrongQueries(t *testing.T) {
	base, _, _ := charted(t)
	for path, want := range map[string]string{
		"series/xyz":                                             `"xyz" is not the identity of a series: it has 16 hexadecimal digits`,
		"series/0x00000000000000":                                "is not the identity of a series",
		"series/0000000000000000/points?from=now":                `from is "now": it must be a time as in 2026-05-04T14:00:00Z`,
		"series/0000000000000000/points?to=0001-01-01T00:00:00Z": "to is",
		"series/0000000000000000/points?limit=0":                 `limit is "0": it must be a number, 1..5000`,
		"series/0000000000000000/points?from=2026-05-04T14:00:00Z&to=2026-05-04T13:00:00Z": "from is after to",
		"templates?state=old":  `state is "old": it must be one of all|anomalous|new|vanished`,
		"templates?limit=9999": "limit is",
		"services?x=1":         "unknown parameter",
	} {
		a := getJSON(t, base+"/api/v1/"+path)
		assert.Equal(t, http.StatusBadRequest, a.status, path)
		assert.Contains(t, a.body["error"], want, path)
	}
	a := getJSON(t, base+"/api/v1/series/0000000000000000")
	assert.Equal(t, http.StatusNotFound, a.status)
	assert.Contains(t, a.body["error"], "GET /api/v1/series lists the known ones")
	assert.True(t, strings.HasPrefix(a.header.Get("Content-Type"), "application/json"))
}
