// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/auspex-otel/auspex/internal/evidence"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

func logBatch(lines ...line) plog.Logs {
	ld := plog.NewLogs()
	for _, l := range lines {
		addLine(ld, l)
	}
	return ld
}

func TestResentLogsAreObservedOnce(t *testing.T) {
	e := newEngine()
	first := e.ObserveLogs(logBatch(line{at: 1, service: "cart", text: "took 1 ms"}, line{at: 1, service: "cart", text: "stopped"}), false)
	again := e.ObserveLogs(logBatch(line{at: 1, service: "cart", text: "took 1 ms"}, line{at: 1, service: "cart", text: "stopped"}), false)
	assert.Equal(t, first, again)
	assert.Equal(t, []uint64{1, 1}, counts(e))
	e.ObserveLogs(logBatch(line{at: 2, service: "cart", text: "took 1 ms"}, line{at: 2, service: "cart", text: "stopped"}), false)
	assert.Equal(t, []uint64{2, 2}, counts(e))
}

// counts lists the numbers of records of all templates that are counted.
func counts(e *Engine) (list []uint64) {
	for _, known := range e.Templates() {
		list = append(list, known.Count)
	}
	return list
}

func TestRecordsWithoutATimeAreCounted(t *testing.T) {
	e := newEngine()
	ld := logBatch(line{service: "cart", text: "took 1 ms"})
	lr := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
	lr.SetTimestamp(0)
	v := e.ObserveLogs(ld, false)
	assert.NotEmpty(t, v[0].Template, "a template needs no time")
	assert.Equal(t, uint64(1), e.Status().Refused[RefusedNoTimestamp])
	assert.Empty(t, e.Templates())

	lr.SetObservedTimestamp(stamp(5))
	e.ObserveLogs(ld, false)
	assert.Len(t, e.Templates(), 1, "the time at which it was observed will do")
}

func TestTextOfARecord(t *testing.T) {
	for _, c := range []struct {
		name, want string
		put        func(plog.LogRecord)
	}{
		{"a text", "hello", func(lr plog.LogRecord) { lr.Body().SetStr("hello") }},
		{"nothing", "", func(plog.LogRecord) {}},
		{"an event", "user.login", func(lr plog.LogRecord) { lr.SetEventName("user.login") }},
		{"a message", "hello", func(lr plog.LogRecord) {
			lr.Body().SetEmptyMap().PutStr("message", "hello")
			lr.Body().Map().PutStr("log", "no")
		}},
		{"a message that is no text", `{"message":1}`, func(lr plog.LogRecord) { lr.Body().SetEmptyMap().PutInt("message", 1) }},
		{"a list", `["a"]`, func(lr plog.LogRecord) { lr.Body().SetEmptySlice().AppendEmpty().SetStr("a") }},
		{"frames", "at a.b()", func(lr plog.LogRecord) {
			lr.Body().SetStr("failed")
			lr.Attributes().PutStr(vocabulary.ExceptionStacktrace, "at a.b()")
		}},
	} {
		lr := plog.NewLogRecord()
		c.put(lr)
		assert.Equal(t, c.want, evidence.Text(lr), c.name)
	}
}

func TestSeverity(t *testing.T) {
	for _, c := range []struct {
		number     plog.SeverityNumber
		text, body string
		want       bool
	}{
		{plog.SeverityNumberError, "", "x", true},
		{plog.SeverityNumberFatal4, "", "x", true},
		{plog.SeverityNumberWarn4, "", "ERROR", false},
		{0, "error", "x", true},
		{0, "info", "ERROR", false},
		{0, "", "2026-05-04 [ERROR] x", true},
		{0, "", "all is well", false},
	} {
		lr := plog.NewLogRecord()
		lr.SetSeverityNumber(c.number)
		lr.SetSeverityText(c.text)
		assert.Equal(t, c.want, evidence.Severe(lr, c.body), "%+v", c)
	}
}

// What a service did not say for a long time was not recorded; what it did not say for a short time was nothing.
func TestGapsInLogs(t *testing.T) {
	say := func(e *Engine, seconds ...float64) uint64 {
		for _, s := range seconds {
			e.Tick(at(max(0, s-500)))
			e.ObserveLogs(logBatch(line{at: s, service: "cart", text: "took 1 ms"}), false)
		}
		for _, v := range e.Series(SeriesQuery{Metric: vocabulary.MetricLogRecords, Statistic: "count"}) {
			return v.Points
		}
		return 0
	}
	assert.Equal(t, uint64(1), say(newEngine(), 1, 16))
	assert.Equal(t, uint64(4), say(newEngine(), 1, 61), "one window, and three empty ones")
	assert.Equal(t, uint64(1), say(newEngine(), 1, 50_000))
}

func TestATickClosesTheWindowOfAnIdleService(t *testing.T) {
	e := newEngine()
	e.ObserveLogs(logBatch(line{at: 1, service: "cart", text: "took 1 ms"}), false)
	e.Tick(at(20))
	assert.Empty(t, e.Series(SeriesQuery{}))
	e.Tick(at(40))
	assert.Len(t, e.Series(SeriesQuery{}), 2, "count and error ratio")
	e.Tick(at(80))
	assert.Equal(t, uint64(1), e.Series(SeriesQuery{})[0].Points, "an idle service says nothing")
}

// Metrics of the same service tell that its time goes on.
func TestMetricsMoveTheWindowsOfLogs(t *testing.T) {
	e := newEngine()
	e.ObserveLogs(logBatch(line{at: 1, service: "cart", text: "took 1 ms"}), false)
	for s := range 12 {
		e.ObserveMetrics(from("cart", gauge("m", float64(10*s), 1)), shownNone)
		e.Tick(at(float64(10 * s)))
	}
	assert.Equal(t, uint64(5), e.Series(SeriesQuery{Metric: vocabulary.MetricLogRecords, Statistic: "count"})[0].Points)
}

// A service whose clock is set back goes on from there once nothing timely has come for a while.
func TestAClockSetBackIsFollowed(t *testing.T) {
	e := newEngine()
	say := func(second float64) {
		e.ObserveLogs(logBatch(line{at: second, service: "cart", text: "took 1 ms"}), false)
	}
	e.Tick(at(100_000))
	say(100_000)
	for i := range 5000 {
		say(float64(i) / 1000)
	}
	assert.Greater(t, e.Templates()[0].Now, at(99_999), "an agent sends what it had kept")
	e.Tick(at(100_700))
	say(700)
	assert.Less(t, e.Templates()[0].Now, at(1000))
}

func BenchmarkObserveLogs(b *testing.B) {
	e := newEngine()
	const records = 1000
	ld := plog.NewLogs()
	for i := range records {
		addLine(ld, line{service: fmt.Sprint("s", i%10), severity: "INFO", text: fmt.Sprintf("request %d of user %d took %d ms", i, i*7, i%50)})
	}
	b.ReportAllocs()
	second := 0
	for b.Loop() {
		second++
		e.Tick(at(float64(second)))
		for _, rl := range ld.ResourceLogs().All() {
			rl.ScopeLogs().At(0).LogRecords().At(0).SetTimestamp(stamp(float64(second)))
		}
		e.ObserveLogs(ld, false)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*records), "ns/record")
}

func TestMaskHidesBeforeAnythingIsKept(t *testing.T) {
	e := newEngine(func(c *Config) { c.Logs.Mask = []string{`secret-\w+`} })
	v := e.ObserveLogs(logBatch(line{at: 1, service: "cart", text: "login of bob@example.com with secret-word failed"}), false)
	assert.Equal(t, "login of <*> with <*> failed", v[0].Template)
	bad := DefaultConfig()
	bad.Logs.Mask = []string{"("}
	assert.ErrorContains(t, bad.Validate(), "logs::mask")
}
