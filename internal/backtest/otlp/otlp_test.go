// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package otlp

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/auspex-otel/auspex/internal/backtest"
	"github.com/auspex-otel/auspex/internal/engine"
	"github.com/auspex-otel/auspex/internal/replay"
)

var start = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// faultAt is the minute at which the first service of recorded has a fault, for ten minutes.
const faultAt = 800

// recorded returns one batch per minute of each of two services, alternating.
func recorded() []pmetric.Metrics {
	random := rand.New(rand.NewPCG(9, 9))
	var list []pmetric.Metrics
	for minute := range 1000 {
		for _, service := range []string{"cart", "pay"} {
			md := pmetric.NewMetrics()
			rm := md.ResourceMetrics().AppendEmpty()
			rm.Resource().Attributes().PutStr("service.name", service)
			metrics := rm.ScopeMetrics().AppendEmpty().Metrics()
			for _, route := range []string{"/a", "/b"} {
				m := metrics.AppendEmpty()
				m.SetName("latency")
				m.SetUnit("s")
				dp := m.SetEmptyGauge().DataPoints().AppendEmpty()
				dp.Attributes().PutStr("route", route)
				dp.SetTimestamp(pcommon.NewTimestampFromTime(start.Add(time.Duration(minute) * time.Minute)))
				v := 5 + random.NormFloat64()
				if service == "cart" && faultAt <= minute && minute < faultAt+10 {
					v += 50
				}
				dp.SetDoubleValue(v)
			}
			list = append(list, md)
		}
	}
	return list
}

func asJSON(t *testing.T, list []pmetric.Metrics) []byte {
	t.Helper()
	var b bytes.Buffer
	for _, md := range list {
		line, err := (&pmetric.JSONMarshaler{}).MarshalMetrics(md)
		require.NoError(t, err)
		b.Write(append(line, '\n'))
	}
	return b.Bytes()
}

func framed(messages ...[]byte) (b []byte) {
	for _, m := range messages {
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(m))), m...)
	}
	return b
}

func asProto(t *testing.T, list []pmetric.Metrics, pack func([]byte) []byte) []byte {
	t.Helper()
	messages := make([][]byte, len(list))
	for i, md := range list {
		b, err := (&pmetric.ProtoMarshaler{}).MarshalMetrics(md)
		require.NoError(t, err)
		messages[i] = pack(b)
	}
	return framed(messages...)
}

func plainly(b []byte) []byte { return b }

func gzipped(t *testing.T, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, err := z.Write(b)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return out.Bytes()
}

func zstded(b []byte) []byte {
	z, _ := zstd.NewWriter(nil) // without options there is no error
	return z.EncodeAll(b, nil)
}

// runFiles runs files in the given order and returns the result and the output files.
func runFiles(t *testing.T, files ...[]byte) (*Result, map[string]string) {
	t.Helper()
	dir, out := t.TempDir(), t.TempDir()
	o := Options{Out: out, Engine: engine.DefaultConfig()}
	for i, b := range files {
		path := filepath.Join(dir, string(rune('a'+i)))
		require.NoError(t, os.WriteFile(path, b, 0o600))
		o.In = append(o.In, path)
	}
	r, err := Run(o)
	require.NoError(t, err)
	written := map[string]string{}
	entries, err := os.ReadDir(out)
	require.NoError(t, err)
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(out, e.Name()))
		require.NoError(t, err)
		written[e.Name()] = string(b)
	}
	assert.Equal(t, []string{"anomalies.jsonl", "incidents.jsonl", "report.html", "series.csv"}, slices.Sorted(maps.Keys(written)))
	return r, written
}

func TestFaultIsFound(t *testing.T) {
	r, out := runFiles(t, asJSON(t, recorded()))
	assert.Empty(t, r.Failed)
	assert.Equal(t, [4]int{1, 2000, 4000, 4}, [4]int{r.Files, r.Metrics, r.Points, len(r.Series)})
	assert.Equal(t, []string{"cart: latency {route=/a}", "cart: latency {route=/b}"}, sortedNames(r.Series[:2]))
	// A false alarm less than a cooldown before the fault, which the budget allows, continues as the anomaly of the
	// fault.
	fault, found := start.Add(faultAt*time.Minute), map[string]bool{}
	for _, a := range r.Anomalies {
		if a.Service == "cart" && a.Observed > 40 && !a.Opened.After(fault) && a.Opened.After(fault.Add(-90*time.Minute)) && a.Updated.After(fault) {
			found[a.Attributes["route"]] = true
			assert.Contains(t, out["anomalies.jsonl"], a.ID)
		}
	}
	assert.Equal(t, map[string]bool{"/a": true, "/b": true}, found, "both series of the service open at the fault")
	assert.Equal(t, len(r.Anomalies), strings.Count(out["anomalies.jsonl"], "\n"))
	assert.Equal(t, len(r.Incidents), strings.Count(out["incidents.jsonl"], "\n"))
	assert.NotEmpty(t, r.Incidents)
	assert.Contains(t, out["report.html"], r.Incidents[0].ID)
	assert.Equal(t, 4, strings.Count(out["report.html"], "<figure"))
	assert.Equal(t, 5, strings.Count(out["series.csv"], "\n"))
	assert.Contains(t, out["series.csv"], "cart,latency,value,s,route=/a,")
}

func sortedNames(list []backtest.Summary) []string {
	names := map[string]bool{}
	for _, s := range list {
		names[s.Name] = true
	}
	return slices.Sorted(maps.Keys(names))
}

// TestEncodings verifies that every file format gives the same result.
func TestEncodings(t *testing.T) {
	list := recorded()
	json := asJSON(t, list)
	_, want := runFiles(t, json)
	for name, b := range map[string][]byte{
		"gzip":                    gzipped(t, json),
		"gzip in two members":     append(gzipped(t, json[:1000]), gzipped(t, json[1000:])...),
		"zstd":                    zstded(json),
		"no newline at end":       bytes.TrimSpace(json),
		"CRLF and empty lines":    append([]byte("\r\n"), bytes.ReplaceAll(json, []byte("\n"), []byte("\r\n\r\n"))...),
		"empty batches":           append([]byte("{}\n{\"resourceMetrics\":[]}\n"), json...),
		"proto":                   asProto(t, list, plainly),
		"proto in gzip":           gzipped(t, asProto(t, list, plainly)),
		"proto, each in zstd":     asProto(t, list, zstded),
		"JSON, framed and zstd":   framed(zstded(json[:bytes.IndexByte(json, '\n')]), zstded(asJSON(t, list[1:2]))),
		"proto with empty frames": append(framed(nil, nil), asProto(t, list, plainly)...),
	} {
		r, got := runFiles(t, b)
		assert.Empty(t, r.Failed, name)
		if strings.HasPrefix(name, "JSON") {
			assert.Equal(t, 4, r.Points, name)
			continue
		}
		assert.Equal(t, want, got, name)
	}
}

// TestMerge splits a recording by service and by time, in any order of the files.
func TestMerge(t *testing.T) {
	list := recorded()
	_, want := runFiles(t, asJSON(t, list))
	var cart, pay []pmetric.Metrics
	for i := 0; i < len(list); i += 2 {
		cart, pay = append(cart, list[i]), append(pay, list[i+1])
	}
	for name, files := range map[string][][]byte{
		"by service":           {asJSON(t, cart), asJSON(t, pay)},
		"of different forms":   {asProto(t, cart, plainly), gzipped(t, asJSON(t, pay))},
		"rotated":              {asJSON(t, list[1200:]), asJSON(t, list[:600]), asJSON(t, list[600:1200])},
		"by service and time":  {asJSON(t, cart[500:]), asJSON(t, cart[:500]), asJSON(t, pay)},
		"beside an empty file": {nil, asJSON(t, list)},
	} {
		_, got := runFiles(t, files...)
		for _, file := range []string{"anomalies.jsonl", "incidents.jsonl", "series.csv"} {
			assert.Equal(t, want[file], got[file], "%s: %s", name, file)
		}
	}
}

// TestResends verifies that repeated points change nothing.
func TestResends(t *testing.T) {
	json := asJSON(t, recorded())
	_, want := runFiles(t, json)
	r, got := runFiles(t, json, json)
	assert.Equal(t, 8000, r.Points)
	for _, file := range []string{"anomalies.jsonl", "incidents.jsonl", "series.csv"} {
		assert.Equal(t, want[file], got[file], file)
	}
}

func TestOtherSignalsArePassedOver(t *testing.T) {
	logs, traces := plog.NewLogs(), ptrace.NewTraces()
	record := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	record.SetTimestamp(1)
	record.Body().SetStr("hello")
	span := traces.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	span.SetName("GET /")
	span.SetTraceID(pcommon.TraceID{1, 2})
	span.SetSpanID(pcommon.SpanID{3})
	span.SetStartTimestamp(1)
	span.SetEndTimestamp(2)
	logsJSON, err := (&plog.JSONMarshaler{}).MarshalLogs(logs)
	require.NoError(t, err)
	tracesJSON, err := (&ptrace.JSONMarshaler{}).MarshalTraces(traces)
	require.NoError(t, err)
	logsProto, err := (&plog.ProtoMarshaler{}).MarshalLogs(logs)
	require.NoError(t, err)
	tracesProto, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(traces)
	require.NoError(t, err)
	metrics := recorded()[:1]
	lines := bytes.Join([][]byte{logsJSON, tracesJSON, asJSON(t, metrics)}, []byte("\n"))
	r, _ := runFiles(t, append(lines, logsJSON...), append(framed(logsProto, tracesProto), asProto(t, metrics, plainly)...), logsJSON)
	assert.Empty(t, r.Failed)
	assert.Equal(t, [4]int{2, 4, 2, 4}, [4]int{r.Metrics, r.Logs, r.Traces, r.Points})
}

// TestInputsThatFail verifies that errors name the cause and position, and that earlier data counts.
func TestInputsThatFail(t *testing.T) {
	json := asJSON(t, recorded()[:3])
	proto := asProto(t, recorded()[:3], plainly)
	for name, tt := range map[string]struct {
		in     []byte
		points int
		want   string
	}{
		"cut line":       {json[:len(json)-20], 4, "line 3: "},
		"other JSON":     {append(append([]byte{}, json...), "{\"a\":1}\n"...), 6, "line 4: " + replay.ErrSignal.Error()},
		"text":           {[]byte("hello, this is not what you want"), 0, "message 1: " + errMessageLong.Error()},
		"cut message":    {proto[:len(proto)-1], 4, "message 2: " + errMessageCut.Error()},
		"cut length":     {append(append([]byte{}, proto...), 0, 0), 6, "message 3: " + errMessageCut.Error()},
		"other proto":    {framed([]byte("garbage")), 0, "message 1: " + replay.ErrSignal.Error()},
		"cut gzip":       {gzipped(t, json)[:100], 0, ": "},
		"not quite gzip": {[]byte{0x1f, 0x8b, 1, 2}, 0, ": "},
		"bad zstd":       {framed(append(append([]byte{}, zstdMagic...), 9, 9, 9)), 0, "message 1: "},
	} {
		r, _ := runFiles(t, tt.in, json)
		require.Len(t, r.Failed, 1, name)
		assert.ErrorContains(t, r.Failed[0], string(filepath.Separator)+"a: ", name)
		assert.ErrorContains(t, r.Failed[0], tt.want, name)
		if !strings.Contains(name, "gzip") {
			assert.Equal(t, tt.points+6, r.Points, name)
		}
	}
}

func TestPaths(t *testing.T) {
	_, err := Run(Options{In: []string{t.TempDir()}, Out: t.TempDir()})
	assert.ErrorContains(t, err, "no files in ")
	_, err = Run(Options{In: []string{filepath.Join(t.TempDir(), "missing")}, Out: t.TempDir()})
	assert.ErrorIs(t, err, os.ErrNotExist)
	dir := t.TempDir()
	for _, name := range []string{"b/c.json", "a.json", ".hidden", ".git/config"} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o750))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("12"), 0o600))
	}
	cursors, total, err := listFiles([]string{dir, filepath.Join(dir, "a.json")})
	require.NoError(t, err)
	var names []string
	for _, c := range cursors {
		name, err := filepath.Rel(dir, c.path)
		require.NoError(t, err)
		names = append(names, filepath.ToSlash(name))
	}
	assert.Equal(t, []string{"a.json", "b/c.json"}, names)
	assert.Equal(t, int64(4), total)
	_, err = Run(Options{In: []string{dir}, Out: filepath.Join(dir, "out")})
	assert.ErrorContains(t, err, "must not contain each other")
}

func TestSeriesName(t *testing.T) {
	for want, s := range map[string]judged{
		"cart: m":                     {service: "cart", metric: "m", statistic: "value"},
		"cart: m (error ratio) {a=b}": {service: "cart", metric: "m", statistic: "error_ratio", attributes: "a=b"},
	} {
		assert.Equal(t, want, s.name())
	}
	attributes := pcommon.NewMap()
	attributes.PutInt("z", 1)
	attributes.PutStr("a", "b")
	assert.Equal(t, "a=b, z=1", text(attributes))
}

// TestWrongClockChangesNothingElse verifies that a sender whose clock is ten years ahead does not affect others, in
// separate or shared batches and at any position.
func TestWrongClockChangesNothingElse(t *testing.T) {
	list := recorded()
	device := func() pmetric.Metrics {
		md := pmetric.NewMetrics()
		rm := md.ResourceMetrics().AppendEmpty()
		rm.Resource().Attributes().PutStr("service.name", "device")
		m := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
		m.SetName("battery")
		m.SetEmptyGauge().DataPoints().AppendEmpty().SetTimestamp(pcommon.NewTimestampFromTime(start.AddDate(10, 0, 0)))
		return md
	}
	var wrong []pmetric.Metrics
	for i, md := range list {
		if i%100 == 50 {
			wrong = append(wrong, device())
		}
		if i%100 == 70 { // together with others
			with := pmetric.NewMetrics()
			md.CopyTo(with)
			device().ResourceMetrics().MoveAndAppendTo(with.ResourceMetrics())
			md = with
		}
		wrong = append(wrong, md)
	}
	want, _ := runFiles(t, asJSON(t, list))
	got, _ := runFiles(t, asJSON(t, wrong))
	assert.Equal(t, want.Anomalies, got.Anomalies)
	assert.Equal(t, want.Incidents, got.Incidents)
	assert.Equal(t, want.Series, got.Series)
	assert.NotEmpty(t, got.Anomalies)
}

// TestLongMessageIsTakenInEventTime verifies that one message may contain the complete history of a series.
func TestLongMessageIsTakenInEventTime(t *testing.T) {
	want, _ := runFiles(t, asJSON(t, recorded()))
	all := pmetric.NewMetrics()
	for _, md := range recorded() {
		md.ResourceMetrics().MoveAndAppendTo(all.ResourceMetrics())
	}
	got, _ := runFiles(t, asJSON(t, []pmetric.Metrics{all}))
	assert.Equal(t, want.Points, got.Points)
	assert.Equal(t, want.Series, got.Series)
}
