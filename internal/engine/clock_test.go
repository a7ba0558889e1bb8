// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// tenYears is a step so far ahead that no clock is that wrong by accident.
const tenYears = 10 * 365 * 24 * 360

// mixed sends metrics, logs and spans of hosts of services, step by step.
type mixed struct {
	engine *Engine
	step   int
	shift  float64 // seconds that are added to all times
}

func (m *mixed) resource(r pcommon.Resource, service, host string) {
	r.Attributes().PutStr(vocabulary.ServiceName, service)
	r.Attributes().PutStr("host.name", host)
}

// send sends everything of one host of a service, as of a step of its own clock. missing is a gauge that it leaves out.
func (m *mixed) send(service, host string, step int, missing ...string) {
	md, ld, td := pmetric.NewMetrics(), plog.NewLogs(), ptrace.NewTraces()
	m.resource(md.ResourceMetrics().AppendEmpty().Resource(), service, host)
	m.resource(ld.ResourceLogs().AppendEmpty().Resource(), service, host)
	m.resource(td.ResourceSpans().AppendEmpty().Resource(), service, host)
	sm := md.ResourceMetrics().At(0).ScopeMetrics().AppendEmpty()
	for i := range 5 {
		if name := fmt.Sprint("load", i); len(missing) == 0 || missing[0] != name {
			gauge(name, m.shift+float64(step*cadence), 100+float64((step*7+i)%13))(sm.Metrics())
		}
	}
	sl, ss := ld.ResourceLogs().At(0).ScopeLogs().AppendEmpty(), td.ResourceSpans().At(0).ScopeSpans().AppendEmpty()
	for i := range 6 {
		lr := sl.LogRecords().AppendEmpty()
		lr.SetTimestamp(stamp(m.shift + float64(step*cadence) + float64(i)))
		lr.Body().SetStr(fmt.Sprintf("request %d handled", step*6+i))
		span := ss.Spans().AppendEmpty()
		span.SetName("GET /")
		span.SetKind(ptrace.SpanKindServer)
		span.SetTraceID(pcommon.TraceID{byte(step), byte(step >> 8), byte(step >> 16), byte(i), host[0], 1})
		span.SetSpanID(pcommon.SpanID{byte(step), byte(step >> 8), byte(step >> 16), byte(i), host[0], 1})
		span.SetStartTimestamp(stamp(m.shift + float64(step*cadence) + float64(i) - 0.05))
		span.SetEndTimestamp(stamp(m.shift + float64(step*cadence) + float64(i)))
	}
	m.engine.ObserveMetrics(md, shownNone)
	m.engine.ObserveLogs(ld, false)
	m.engine.ObserveTraces(td)
}

// run runs steps in which host a of the shop sends, and then whatever else also sends.
func (m *mixed) run(n int, also func(step int), missing ...string) {
	for range n {
		m.engine.Tick(at(float64(m.step * cadence)))
		m.send("shop", "a", m.step, missing...)
		if also != nil {
			also(m.step)
		}
		m.step++
	}
}

// shared holds the output of the engine that depends on state shared between resources.
func (m *mixed) shared() string {
	var text strings.Builder
	for _, metric := range []string{vocabulary.MetricLogRecords, vocabulary.MetricSpanCalls, vocabulary.MetricOutsideInterval} {
		for _, v := range m.engine.Series(SeriesQuery{Metric: metric, Service: "shop", Limit: 1000}) {
			fmt.Fprintln(&text, v.Metric, v.Statistic, v.Attributes, v.Time, v.Points, v.Observed)
		}
	}
	for _, g := range m.engine.PendingGauges().Services {
		if g.Service == "shop" {
			fmt.Fprintln(&text, g)
		}
	}
	nodes, edges, forgotten := m.engine.causes.Graph().Size()
	fmt.Fprintln(&text, nodes, edges, forgotten, m.engine.Incidents(incident.StateOpen))
	return text.String()
}

// One host of a service has a clock that is ten years ahead, or two hours behind as an agent's that sends what it had
// kept: what the service's hosts share is as if that one had sent nothing.
func TestWrongClocksMoveNothingThatIsShared(t *testing.T) {
	for name, offset := range map[string]int{"ahead": tenYears, "behind": -720} {
		t.Run(name, func(t *testing.T) {
			const steps = 300
			e, logged := newLoggingEngine()
			wrong, right := &mixed{engine: e}, &mixed{engine: newEngine()}
			wrong.run(steps, nil)
			right.run(steps, nil)
			require.Equal(t, right.shared(), wrong.shared())
			host := func(m *mixed) func(int) {
				return func(step int) { m.send("shop", "b", step+offset) }
			}
			wrong.run(steps, host(wrong))
			right.run(steps, nil)
			// Its resource is there, its host is not.
			assert.Equal(t, right.shared(), wrong.shared())
			own := e.Series(SeriesQuery{Metric: "load0", Limit: 10})
			require.Len(t, own, 2)
			assert.Equal(t, []uint64{2 * steps, steps}, []uint64{max(own[0].Points, own[1].Points), min(own[0].Points, own[1].Points)}, "its own series are judged")
			assert.Equal(t, uint64(steps*(5+6+6)), e.Status().Untimely[name])
			assert.Equal(t, 1, logged.FilterField(untimelyField(name)).Len(), "logged once")
			assert.Empty(t, logged.FilterField(untimelyField(map[string]string{"ahead": "behind", "behind": "ahead"}[name])).All())
		})
	}
}

// One point dated ten years ahead in a resource whose other points are right: the absence of another series is found as ever.
func TestAbsenceIsFoundBesideAPointFarAhead(t *testing.T) {
	m := &mixed{engine: newEngine()}
	m.run(300, nil)
	m.engine.ObserveMetrics(from("shop", gauge("battery", tenYears*cadence, 1)), shownNone)
	poison := func(step int) {
		if step == 310 { // one series of the resource itself
			md := pmetric.NewMetrics()
			m.resource(md.ResourceMetrics().AppendEmpty().Resource(), "shop", "a")
			gauge("load0", tenYears*cadence, 1)(md.ResourceMetrics().At(0).ScopeMetrics().AppendEmpty().Metrics())
			m.engine.ObserveMetrics(md, shownNone)
		}
	}
	m.run(100, poison, "load1")
	var silent []string
	for _, i := range m.engine.Incidents("") {
		for _, a := range i.Anomalies {
			silent = append(silent, a.Metric)
			assert.WithinDuration(t, at(310*cadence), a.Opened, 10*time.Minute)
		}
	}
	assert.Equal(t, []string{"load1"}, silent)
	load := m.engine.Series(SeriesQuery{Metric: "load0"})
	assert.Equal(t, uint64(400), load[0].Points, "a point that continues no other costs the series nothing")
}

// A device whose clock is set right goes on at once, and one whose clock goes wrong is followed after a while.
func TestStreamFollowsItsClock(t *testing.T) {
	e := newEngine()
	points := func(n, from int) uint64 {
		for i := range n {
			e.ObserveMetrics(singleGauge(from+i), shownNone)
		}
		return e.Series(SeriesQuery{Metric: "battery"})[0].Points
	}
	assert.Equal(t, uint64(5), points(5, tenYears))
	assert.Equal(t, uint64(10), points(5, 0), "set right")
	assert.Equal(t, uint64(10), points(lateBeforeRestart-1, tenYears+10))
	assert.Equal(t, uint64(11), points(1, 5))
	assert.Equal(t, uint64(11+20+1), points(lateBeforeRestart+20, tenYears+100), "permanently wrong")
	assert.Zero(t, e.judge.Watermark("s")-int64(stamp(5*cadence)))
}

func singleGauge(step int) pmetric.Metrics {
	return from("s", gauge("battery", float64(step*cadence), float64(step%7)))
}

// The clock of ticks itself is set back by an hour: everything goes on within minutes.
func TestClockOfTicksIsSetBack(t *testing.T) {
	m := &mixed{engine: newEngine()}
	m.run(400, nil)
	nodes, edges, _ := m.engine.causes.Graph().Size()
	m.step, m.shift = m.step-360, 3 // else it would be a resend
	before := m.engine.Series(SeriesQuery{Metric: "load0"})[0].Points
	m.run(100, nil)
	assert.Equal(t, before+100, m.engine.Series(SeriesQuery{Metric: "load0"})[0].Points)
	assert.WithinDuration(t, at(float64(m.step*cadence)), time.Unix(0, m.engine.judge.Watermark("shop")), 15*time.Second)
	afterNodes, afterEdges, _ := m.engine.causes.Graph().Size()
	assert.Equal(t, [2]int{nodes, edges}, [2]int{afterNodes, afterEdges}, "what calls what is still known")
	for _, metric := range []string{vocabulary.MetricLogRecords, vocabulary.MetricSpanCalls} {
		for _, v := range m.engine.Series(SeriesQuery{Metric: metric}) {
			assert.WithinDuration(t, at(float64(m.step*cadence)), v.Time, time.Minute, "%s", v.Metric)
		}
	}
}
