// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package corpus

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

const (
	recordingMinutes = 30
	requestEvery     = 10 * time.Second
	// pay returns early from minute 20 to minute 23.
	brokenFrom, brokenTo = 20 * time.Minute, 23 * time.Minute
)

// recording holds half an hour of two services. Service front orders, and calls pay, which
// charges and transfers. While pay is broken it returns early and does not log. Each service has
// one batch per minute, the callee first.
type recording struct {
	spans, logs, metrics [][]byte
}

func record() (r recording) {
	for minute := range recordingMinutes {
		front, pay, log := ptrace.NewTraces(), ptrace.NewTraces(), plog.NewLogs()
		inFront, inPay, records := spansOf(front, "front"), spansOf(pay, "pay"), recordsOf(log, "pay")
		for s := time.Duration(0); s < time.Minute; s += requestEvery {
			at := time.Duration(minute)*time.Minute + s
			id := pcommon.TraceID{0: 1, 14: byte(minute), 15: byte(s / time.Second)}
			addSpan(inFront, "order", id, 1, 0, at, 50*time.Millisecond)
			addSpan(inPay, "charge", id, 2, 1, at+10*time.Millisecond, 20*time.Millisecond)
			if at < brokenFrom || at >= brokenTo {
				addSpan(inPay, "transfer", id, 3, 2, at+15*time.Millisecond, 10*time.Millisecond)
				addLine(records, "charged 12 to account 7", id, 2, at+28*time.Millisecond)
			}
		}
		for _, td := range []ptrace.Traces{pay, front} {
			r.spans = append(r.spans, must((&ptrace.JSONMarshaler{}).MarshalTraces(td)))
		}
		if log.LogRecordCount() > 0 {
			r.logs = append(r.logs, must((&plog.JSONMarshaler{}).MarshalLogs(log)))
		}
		r.metrics = append(r.metrics, must((&pmetric.JSONMarshaler{}).MarshalMetrics(cpu("pay", minute))))
	}
	return r
}

// asks returns the times to query: before the fault, and at its start.
func asks() string {
	type ask struct {
		InjectedAt string `json:"injected_at"`
	}
	var list []ask
	for _, d := range []time.Duration{10 * time.Minute, brokenFrom} {
		list = append(list, ask{start.Add(d).Format("2006-01-02 15:04:05Z")})
	}
	return string(must(json.Marshal(list))) + "\n"
}

func stamp(d time.Duration) pcommon.Timestamp {
	return pcommon.NewTimestampFromTime(start.Add(d))
}

func spansOf(td ptrace.Traces, service string) ptrace.SpanSlice {
	rs := td.ResourceSpans().AppendEmpty()
	rs.Resource().Attributes().PutStr("service.name", service)
	return rs.ScopeSpans().AppendEmpty().Spans()
}

func addSpan(to ptrace.SpanSlice, name string, id pcommon.TraceID, span, parent byte, begin, length time.Duration) {
	s := to.AppendEmpty()
	s.SetName(name)
	s.SetTraceID(id)
	s.SetSpanID(pcommon.SpanID{7: span})
	s.SetParentSpanID(pcommon.SpanID{7: parent})
	s.SetKind(ptrace.SpanKindServer)
	s.SetStartTimestamp(stamp(begin))
	s.SetEndTimestamp(stamp(begin + length))
}

func recordsOf(ld plog.Logs, service string) plog.LogRecordSlice {
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr("service.name", service)
	return rl.ScopeLogs().AppendEmpty().LogRecords()
}

func addLine(to plog.LogRecordSlice, body string, id pcommon.TraceID, span byte, at time.Duration) {
	l := to.AppendEmpty()
	l.Body().SetStr(body)
	l.SetTraceID(id)
	l.SetSpanID(pcommon.SpanID{7: span})
	l.SetTimestamp(stamp(at))
}

// cpu returns the CPU usage of the only pod of a service in a minute.
func cpu(service string, minute int) pmetric.Metrics {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.name", service)
	rm.Resource().Attributes().PutStr("k8s.pod.name", service+"-1")
	m := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName("k8s.pod.cpu.usage")
	p := m.SetEmptyGauge().DataPoints().AppendEmpty()
	p.SetTimestamp(stamp(time.Duration(minute) * time.Minute))
	p.SetDoubleValue(float64(20+minute%3) / 100)
	return md
}

// lines joins messages in the format of the file exporter.
func lines(messages [][]byte) string {
	var b strings.Builder
	for _, m := range messages {
		b.Write(m)
		b.WriteByte('\n')
	}
	return b.String()
}

// must returns b, and panics if the encoding of generated data failed.
func must(b []byte, err error) []byte {
	if err != nil {
		panic(fmt.Sprintf("encode a corpus: %v", err))
	}
	return b
}
