// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package dashboards

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/auspex-otel/auspex/internal/vocabulary"
)

// sent counts the telemetry that the collector received.
type sent struct {
	truth      truth
	start, end time.Time // of the telemetry, after the shift to the present
	services   map[string]bool
	severities map[string]map[string]float64 // records by service and severity
	calls      map[[2]string]bool            // pairs of caller and called service
}

// truth is the demo's file with what it broke.
type truth struct {
	Culprits   []string  `json:"culprits"`
	Start, End time.Time `json:"-"`
	RawStart   time.Time `json:"start"`
	RawEnd     time.Time `json:"end"`
}

// together is the number of the demo's intervals of 5 s in one request.
const together = 6

// player sends what the demo wrote, shifted so that it ends when it is sent.
type player struct {
	t      *testing.T
	conn   *grpc.ClientConn
	folder string
	shift  time.Duration
	sent   sent
	spans  map[pcommon.SpanID]span
}

type span struct {
	service string
	kind    ptrace.SpanKind
	parent  pcommon.SpanID
}

// play sends the folder's telemetry in the order of time, and returns what it sent.
func play(t *testing.T, folder, otlp string) sent {
	t.Helper()
	conn, err := grpc.NewClient(otlp, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	defer conn.Close()
	p := &player{t: t, conn: conn, folder: folder, spans: map[pcommon.SpanID]span{}, sent: sent{
		services: map[string]bool{}, severities: map[string]map[string]float64{}, calls: map[[2]string]bool{},
	}}
	text, err := os.ReadFile(filepath.Join(folder, "truth.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &p.sent.truth))
	p.shift = time.Since(p.sent.truth.RawEnd).Truncate(time.Second)
	p.sent.start, p.sent.end = p.sent.truth.RawStart.Add(p.shift), p.sent.truth.RawEnd.Add(p.shift)

	metrics, logs, traces := p.open("metrics"), p.open("logs"), p.open("traces")
	for more := true; more; {
		md, ld, td := pmetric.NewMetrics(), plog.NewLogs(), ptrace.NewTraces()
		for range together {
			if more = metrics.Scan(); !more {
				break
			}
			p.metrics(metrics.Bytes(), md)
			if logs.Scan() {
				p.logs(logs.Bytes(), ld)
			}
			if traces.Scan() {
				p.traces(traces.Bytes(), td)
			}
		}
		_, err = pmetricotlp.NewGRPCClient(p.conn).Export(t.Context(), pmetricotlp.NewExportRequestFromMetrics(md))
		require.NoError(t, err)
		_, err = plogotlp.NewGRPCClient(p.conn).Export(t.Context(), plogotlp.NewExportRequestFromLogs(ld))
		require.NoError(t, err)
		_, err = ptraceotlp.NewGRPCClient(p.conn).Export(t.Context(), ptraceotlp.NewExportRequestFromTraces(td))
		require.NoError(t, err)
	}
	p.repeat()
	for _, s := range p.spans {
		if from, ok := p.spans[s.parent]; ok && from.service != s.service {
			p.sent.calls[[2]string{from.service, s.service}] = true
		}
	}
	return p.sent
}

// repeat sends the first interval's metrics once more. The engine does not observe them again, and counts them.
func (p *player) repeat() {
	p.t.Helper()
	first, md := p.open("metrics"), pmetric.NewMetrics()
	require.True(p.t, first.Scan())
	p.metrics(first.Bytes(), md)
	_, err := pmetricotlp.NewGRPCClient(p.conn).Export(p.t.Context(), pmetricotlp.NewExportRequestFromMetrics(md))
	require.NoError(p.t, err)
}

// open returns the lines of a signal's file.
func (p *player) open(signal string) *bufio.Scanner {
	p.t.Helper()
	file, err := os.Open(filepath.Join(p.folder, "otlp", signal+".jsonl.gz"))
	require.NoError(p.t, err)
	p.t.Cleanup(func() { _ = file.Close() })
	unzipped, err := gzip.NewReader(file)
	require.NoError(p.t, err)
	lines := bufio.NewScanner(unzipped)
	lines.Buffer(nil, 64<<20)
	return lines
}

// move shifts a timestamp that is set.
func (p *player) move(t pcommon.Timestamp) pcommon.Timestamp {
	if t == 0 {
		return 0
	}
	return t + pcommon.Timestamp(p.shift)
}

func (p *player) metrics(line []byte, into pmetric.Metrics) {
	p.t.Helper()
	md, err := (&pmetric.JSONUnmarshaler{}).UnmarshalMetrics(line)
	require.NoError(p.t, err)
	for _, rm := range md.ResourceMetrics().All() {
		p.sent.services[vocabulary.Service(rm.Resource().Attributes())] = true
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				p.movePoints(m)
			}
		}
	}
	md.ResourceMetrics().MoveAndAppendTo(into.ResourceMetrics())
}

func (p *player) movePoints(m pmetric.Metric) {
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		p.moveNumbers(m.Gauge().DataPoints())
	case pmetric.MetricTypeSum:
		p.moveNumbers(m.Sum().DataPoints())
	case pmetric.MetricTypeHistogram:
		for _, dp := range m.Histogram().DataPoints().All() {
			dp.SetTimestamp(p.move(dp.Timestamp()))
			dp.SetStartTimestamp(p.move(dp.StartTimestamp()))
		}
	default:
		require.Fail(p.t, "the player cannot shift this type", "%s: %s", m.Name(), m.Type())
	}
}

func (p *player) moveNumbers(points pmetric.NumberDataPointSlice) {
	for _, dp := range points.All() {
		dp.SetTimestamp(p.move(dp.Timestamp()))
		dp.SetStartTimestamp(p.move(dp.StartTimestamp()))
	}
}

func (p *player) logs(line []byte, into plog.Logs) {
	p.t.Helper()
	ld, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs(line)
	require.NoError(p.t, err)
	for _, rl := range ld.ResourceLogs().All() {
		service := vocabulary.Service(rl.Resource().Attributes())
		if p.sent.severities[service] == nil {
			p.sent.severities[service] = map[string]float64{}
		}
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				lr.SetTimestamp(p.move(lr.Timestamp()))
				lr.SetObservedTimestamp(p.move(lr.ObservedTimestamp()))
				p.sent.severities[service][lr.SeverityText()]++
			}
		}
	}
	ld.ResourceLogs().MoveAndAppendTo(into.ResourceLogs())
}

func (p *player) traces(line []byte, into ptrace.Traces) {
	p.t.Helper()
	td, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(line)
	require.NoError(p.t, err)
	for _, rs := range td.ResourceSpans().All() {
		service := vocabulary.Service(rs.Resource().Attributes())
		for _, ss := range rs.ScopeSpans().All() {
			for _, s := range ss.Spans().All() {
				s.SetStartTimestamp(p.move(s.StartTimestamp()))
				s.SetEndTimestamp(p.move(s.EndTimestamp()))
				for _, e := range s.Events().All() {
					e.SetTimestamp(p.move(e.Timestamp()))
				}
				p.spans[s.SpanID()] = span{service, s.Kind(), s.ParentSpanID()}
			}
		}
	}
	td.ResourceSpans().MoveAndAppendTo(into.ResourceSpans())
}
