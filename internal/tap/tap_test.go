// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package tap

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/auspex-otel/auspex/internal/mask"
)

var (
	at    = time.Date(2026, 5, 4, 6, 0, 0, 0, time.UTC)
	place = Place{"processor", "anomaly", "logs"}
)

type provider struct {
	component.Component
	taps *Taps
}

func (p provider) Taps() *Taps { return p.taps }

type host map[component.ID]component.Component

func (h host) GetExtensions() map[component.ID]component.Component { return h }

// tapped returns taps with the point at place.
func tapped() (*Taps, *Point) {
	t := New()
	h := host{component.MustNewID("nop"): nil, component.MustNewIDWithName("anomaly_console", "b"): provider{taps: New()}, component.MustNewID("anomaly_console"): provider{taps: t}}
	return t, Find(h, component.KindProcessor, component.MustNewID("anomaly"), "logs")
}

func logs(bodies ...string) plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("service.name", "cart")
	for _, body := range bodies {
		lr := rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
		lr.SetTimestamp(pcommon.NewTimestampFromTime(at))
		lr.SetSeverityNumber(plog.SeverityNumberError)
		lr.Body().SetStr(body)
		lr.Attributes().PutInt("n", 7)
	}
	return ld
}

func bodies(records []Record) (list []string) {
	for _, r := range records {
		list = append(list, r.Text)
	}
	return list
}

func TestTapTakesTheNextRecordsAndCloses(t *testing.T) {
	taps, p := tapped()
	assert.Equal(t, []Place{place}, taps.Places())
	p.Logs(logs("before"))
	first, err := taps.Open(place, 3)
	require.NoError(t, err)
	second, err := taps.Open(place, 1)
	require.NoError(t, err)
	p.Logs(logs("a", "b"))
	<-second.Full()
	select {
	case <-first.Full():
		t.Fatal("there is room for another record")
	default:
	}
	p.Logs(logs("c", "d"))
	<-first.Full()
	p.Logs(logs("e"))
	assert.True(t, p.idle(), "full taps are forgotten before they are closed")
	list := first.Close()
	assert.Equal(t, []string{"a", "b", "c"}, bodies(list))
	assert.Equal(t, []string{"a"}, bodies(second.Close()))
	assert.Equal(t, Record{at, "Error", "a", "", map[string]string{"n": "7"}, map[string]string{"service.name": "cart"}}, list[0])
}

func TestTapClosedBeforeItIsFull(t *testing.T) {
	taps, p := tapped()
	tap, err := taps.Open(place, 5)
	require.NoError(t, err)
	p.Logs(logs("a"))
	assert.Len(t, tap.Close(), 1)
	assert.True(t, p.idle())
	p.Logs(logs("b"))
}

func TestTapsAreBounded(t *testing.T) {
	taps, p := tapped()
	_, err := taps.Open(Place{"processor", "anomaly", "traces"}, 1)
	require.ErrorIs(t, err, ErrNoPoint)
	var open []*Tap
	for range maxOpen {
		tap, err := taps.Open(place, 1000)
		require.NoError(t, err)
		open = append(open, tap)
	}
	_, err = taps.Open(place, 1)
	require.ErrorIs(t, err, ErrTooMany)
	open[1].Close()
	last, err := taps.Open(place, 1)
	require.NoError(t, err, "a closed tap makes room")
	for i := range 100 {
		p.Logs(logs(strconv.Itoa(i)))
	}
	assert.Len(t, open[0].Close(), MaxRecords)
	assert.Len(t, last.Close(), 1)

	tap, err := taps.Open(place, MaxRecords)
	require.NoError(t, err)
	for range MaxRecords {
		p.Logs(logs(strings.Repeat("ä", maxRead)))
	}
	<-tap.Full()
	list := tap.Close()
	require.NotEmpty(t, list)
	assert.LessOrEqual(t, len(list), maxBytes/maxText)
	assert.Len(t, list[0].Text, maxText+len("…"))
}

func TestWithoutProvider(t *testing.T) {
	p := Find(host{}, component.KindReceiver, component.MustNewID("findings"), "logs")
	assert.Nil(t, p)
	p.Logs(logs("a"))
	p.Metrics(pmetric.NewMetrics())
	p.Traces(ptrace.NewTraces())
}

func TestSecretsAreHidden(t *testing.T) {
	taps, p := tapped()
	m, err := mask.New([]string{`cust-\w+`})
	require.NoError(t, err)
	taps.SetMask(m)
	tap, err := taps.Open(place, 1)
	require.NoError(t, err)
	ld := logs("login of ann@example.com with password=hunter2 for cust-81 failed")
	lr := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
	a := lr.Attributes()
	a.PutStr("db.password", "hunter2")
	a.PutEmptySlice("http.request.header.authorization").AppendEmpty().SetStr("hunter2")
	args := a.PutEmptySlice("process.command_args")
	args.AppendEmpty().SetStr("--password")
	args.AppendEmpty().SetStr("hunter2")
	a.PutEmptyMap("user").PutEmptyMap("login").PutStr("apiKey", "hunter2")
	a.PutEmptyBytes("raw").FromRaw([]byte("hunter2"))
	a.PutStr("password=hunter2", "x")
	ld.ResourceLogs().At(0).Resource().Attributes().PutStr("url", "redis://:hunter2@cache:6379")
	p.Logs(ld)
	list := tap.Close()
	require.Len(t, list, 1)
	text := fmt.Sprint(list)
	for _, secret := range []string{"hunter2", "ann@", "cust-81"} {
		assert.NotContains(t, text, secret)
	}
	assert.Equal(t, "login of <*> with password=<*> for <*> failed", list[0].Text)
	assert.Equal(t, "7 bytes", list[0].Attributes["raw"])
	assert.Equal(t, "{login: {apiKey: <*>}}", list[0].Attributes["user"])
}

func TestMetrics(t *testing.T) {
	p := &Point{}
	taps := New()
	taps.points[place] = p
	md := pmetric.NewMetrics()
	metrics := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics()
	gauge := metrics.AppendEmpty()
	gauge.SetName("load")
	gauge.SetUnit("%")
	for i := range 3 {
		dp := gauge.SetEmptyGauge().DataPoints().AppendEmpty()
		dp.SetIntValue(int64(i))
	}
	metrics.AppendEmpty().SetEmptySum().DataPoints().AppendEmpty().SetDoubleValue(.5)
	metrics.AppendEmpty().SetEmptySum().DataPoints().AppendEmpty()
	h := metrics.AppendEmpty().SetEmptyHistogram().DataPoints().AppendEmpty()
	h.SetCount(3)
	h.SetSum(1.5)
	metrics.AppendEmpty().SetEmptyExponentialHistogram().DataPoints().AppendEmpty()
	metrics.AppendEmpty().SetEmptySummary().DataPoints().AppendEmpty()
	for records, want := range map[int][]string{
		50: {"2 %", "0.5", "no recorded value", "count 3, sum 1.5", "count 0, sum 0", "count 0, sum 0"},
		2:  {"2 %", "0.5"},
		4:  {"2 %", "0.5", "no recorded value", "count 3, sum 1.5"},
	} {
		tap, err := taps.Open(place, records)
		require.NoError(t, err)
		p.Metrics(md)
		assert.Equal(t, want, bodies(tap.Close()))
	}
}

func TestTraces(t *testing.T) {
	taps, p := tapped()
	tap, err := taps.Open(place, 5)
	require.NoError(t, err)
	td := ptrace.NewTraces()
	s := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	s.SetName("GET /cart")
	s.SetTraceID([16]byte{15: 1})
	s.SetStartTimestamp(pcommon.NewTimestampFromTime(at))
	s.SetEndTimestamp(pcommon.NewTimestampFromTime(at.Add(1500 * time.Microsecond)))
	s.SetKind(ptrace.SpanKindServer)
	s.Status().SetCode(ptrace.StatusCodeError)
	s.Status().SetMessage("token=abc refused")
	p.Traces(td)
	assert.Equal(t, []Record{{at, "GET /cart", "server, 1.5ms, status error: token=<*> refused", "00000000000000000000000000000001", map[string]string{}, map[string]string{}}}, tap.Close())
}

func TestDeepAndLargeValues(t *testing.T) {
	v := pcommon.NewValueMap()
	deep := v.Map()
	for range 100 {
		deep = deep.PutEmptyMap("m")
	}
	assert.Equal(t, "{m: {m: {m: {m: {m: {m: …}}}}}}", value(mask.Default(), "", v))
	large := pcommon.NewValueSlice()
	for range 100_000 {
		large.Slice().AppendEmpty().SetStr("0123456789")
	}
	assert.Less(t, len(value(mask.Default(), "", large)), maxText+10)
	assert.Equal(t, "\uFFFD", cut("\xff"))
	assert.Equal(t, pcommon.NewTimestampFromTime(at).AsTime(), timeOf(pcommon.NewTimestampFromTime(at)))
	assert.True(t, timeOf(0).IsZero())
}

func TestConcurrentUse(t *testing.T) {
	taps, p := tapped()
	var senders, readers sync.WaitGroup
	stop := make(chan struct{})
	for range 3 {
		senders.Go(func() {
			for ld := logs("a", "b", "c"); ; {
				select {
				case <-stop:
					return
				default:
					p.Logs(ld)
				}
			}
		})
		readers.Go(func() {
			for range 100 {
				tap, err := taps.Open(place, 5)
				if assert.NoError(t, err) {
					<-tap.Full()
					assert.Len(t, tap.Close(), 5)
				}
			}
		})
	}
	readers.Wait()
	close(stop)
	senders.Wait()
}

// BenchmarkNoTap measures what a batch of 100 log records costs at a point without an open tap.
func BenchmarkNoTap(b *testing.B) {
	_, p := tapped()
	ld := logs(strings.Split(strings.Repeat("a", 100), "")...)
	b.ReportAllocs()
	for b.Loop() {
		p.Logs(ld)
	}
}
