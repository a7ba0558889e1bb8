// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package elasticsearchexporter

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/auspex-otel/auspex/exporter/elasticsearchexporter/internal/metadata"
	"github.com/auspex-otel/auspex/exporter/elasticsearchexporter/internal/metadatatest"
	"github.com/auspex-otel/auspex/internal/deadletter"
)

type keys = map[string]any

// started returns an exporter of logs with fast retries, and its telemetry.
func started(t *testing.T, s *server, more keys) (exporter.Logs, *componenttest.Telemetry) {
	t.Helper()
	cfg := createDefaultConfig().(*Config)
	base := confmap.NewFromStringMap(keys{
		"endpoint": s.URL, "templates": keys{"enabled": false}, "retry_on_failure": keys{"enabled": false},
		"retry": keys{"initial_interval": "1ms", "max_interval": "2ms"},
	})
	require.NoError(t, base.Merge(confmap.NewFromStringMap(more)))
	require.NoError(t, base.Unmarshal(cfg))
	require.NoError(t, confmap.Validate(cfg))
	telemetry := componenttest.NewTelemetry()
	t.Cleanup(func() { require.NoError(t, telemetry.Shutdown(context.Background())) })
	set := exportertest.NewNopSettings(metadata.Type)
	set.ID = component.NewIDWithName(metadata.Type, "a")
	set.TelemetrySettings = telemetry.NewTelemetrySettings()
	e, err := createLogs(t.Context(), set, cfg)
	require.NoError(t, err)
	require.NoError(t, e.Start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, e.Shutdown(context.Background())) })
	return e, telemetry
}

// records returns one log record per text.
func records(texts ...string) plog.Logs {
	ld := plog.NewLogs()
	sl := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty()
	for _, text := range texts {
		lr := sl.LogRecords().AppendEmpty()
		lr.SetTimestamp(1)
		lr.Body().SetStr(text)
	}
	return ld
}

// left returns the texts that an error returns for a retry.
func left(t *testing.T, err error) (texts []string) {
	t.Helper()
	require.Error(t, err)
	require.False(t, consumererror.IsPermanent(err), "%v", err)
	var partial consumererror.Logs
	require.ErrorAs(t, err, &partial)
	for _, rl := range partial.Data().ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				texts = append(texts, lr.Body().Str())
			}
		}
	}
	return texts
}

func point(n int64, a ...attribute.KeyValue) metricdata.DataPoint[int64] {
	return metricdata.DataPoint[int64]{Value: n, Attributes: attribute.NewSet(a...)}
}

func TestItemsThatFailForNowAreRetriedAlone(t *testing.T) {
	s := newServer(t)
	s.each = func(n int, a action) reply {
		switch {
		case n == 0 && strings.Contains(a.Body, "busy"):
			return reply{429, "es_rejected_execution_exception", "full"}
		case n < 2 && strings.Contains(a.Body, "away"):
			return reply{503, "unavailable_shards_exception", "no primary"}
		case strings.Contains(a.Body, "there"):
			return reply{409, "version_conflict_engine_exception", "exists"}
		}
		return reply{status: 201}
	}
	e, telemetry := started(t, s, nil)
	require.NoError(t, e.ConsumeLogs(t.Context(), records("good", "busy", "away", "there")))
	assert.Equal(t, []int{4, 2, 1}, s.seen())
	assert.Equal(t, s.requests[0][1].ID, s.requests[1][0].ID, "the id stays")
	metadatatest.AssertEqualExporterElasticsearchDocuments(t, telemetry, []metricdata.DataPoint[int64]{
		point(3, outcomeWritten), point(1, outcomeDuplicate), point(3, outcomeRetried),
	}, metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
	metadatatest.AssertEqualExporterElasticsearchRequests(t, telemetry, []metricdata.DataPoint[int64]{point(3, resultAnswered)}, metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
}

func TestWhatIsLeftIsReturnedAlone(t *testing.T) {
	s := newServer(t)
	s.each = func(_ int, a action) reply {
		if strings.Contains(a.Body, "busy") {
			return reply{429, "es_rejected_execution_exception", "full"}
		}
		return reply{status: 201}
	}
	e, _ := started(t, s, nil)
	err := e.ConsumeLogs(t.Context(), records("good", "busy 1", "busy 2"))
	require.ErrorContains(t, err, "429 es_rejected_execution_exception: full")
	assert.Equal(t, []string{"busy 1", "busy 2"}, left(t, err))
	assert.Equal(t, []int{3, 2, 2}, s.seen())
}

// Each row is a request with an unknown or retryable outcome. None of its documents is
// acknowledged or lost.
func TestAnswersThatDoNotTell(t *testing.T) {
	text := func(status int, body string) func(int, []action, http.ResponseWriter) bool {
		return func(_ int, _ []action, w http.ResponseWriter) bool {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
			return true
		}
	}
	for want, whole := range map[string]func(int, []action, http.ResponseWriter) bool{
		"503 Service Unavailable":                              text(503, ""),
		"502 Bad Gateway (http_502: <html>oops":                text(502, "<html>oops</html>"),
		"429 Too Many Requests":                                text(429, `{"error":{"type":"circuit_breaking_exception","reason":"memory"}}`),
		"check user and password, api_key":                     text(401, `{"error":{"type":"security_exception","reason":"missing"}}`),
		"grant the user or the key the privileges to write":    text(403, "{}"),
		"check that endpoints is the address of Elasticsearch": text(404, "not here"),
		"it is not JSON":                                       text(200, "<html>welcome</html>"),
		"it has no field errors":                               text(200, `{"tagline":"You Know, for Search"}`),
		"2 actions were sent and 1 answered":                   text(200, `{"errors":false,"items":[{"create":{"status":201}}]}`),
		"it is not JSON (unexpected end of JSON":               text(200, `{"errors":false,"items":[{"create":{"status":201}},{"create":`),
		"redirects are not followed: set endpoints to http://elsewhere.example/_bulk": func(_ int, _ []action, w http.ResponseWriter) bool {
			w.Header().Set("Location", "http://elsewhere.example/_bulk")
			w.WriteHeader(http.StatusTemporaryRedirect)
			return true
		},
		"no answer from Elasticsearch to _bulk: ": func(int, []action, http.ResponseWriter) bool { panic(http.ErrAbortHandler) },
		"the connection broke after": func(_ int, _ []action, w http.ResponseWriter) bool {
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, `{"errors":false`)
			return true
		},
	} {
		t.Run(want, func(t *testing.T) {
			s := newServer(t)
			s.whole = whole
			e, telemetry := started(t, s, keys{"dead_letter": keys{"directory": t.TempDir()}})
			err := e.ConsumeLogs(t.Context(), records("a", "b"))
			require.ErrorContains(t, err, want)
			assert.Equal(t, []string{"a", "b"}, left(t, err))
			assert.Equal(t, []int{2, 2, 2}, s.seen(), "it is retried a limited number of times")
			metadatatest.AssertEqualExporterElasticsearchRequests(t, telemetry, []metricdata.DataPoint[int64]{point(3, resultFailed)}, metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())

			s.mu.Lock()
			s.whole = nil
			s.mu.Unlock()
			require.NoError(t, e.ConsumeLogs(t.Context(), records("a", "b")), "others are served")
		})
	}
}

// The reason of a rejection may quote the document.
func TestLongReason(t *testing.T) {
	s := newServer(t)
	s.each = func(_ int, a action) reply {
		if strings.Contains(a.Body, "bad") {
			return reply{http.StatusBadRequest, "document_parsing_exception", "failed to parse " + strings.Repeat("value ", 1<<18)}
		}
		return reply{status: http.StatusCreated}
	}
	dir := t.TempDir()
	e, _ := started(t, s, keys{"dead_letter": keys{"directory": dir}})
	require.NoError(t, e.ConsumeLogs(t.Context(), records("good", "bad", "good")))
	assert.Equal(t, []int{3}, s.seen())
	letters := 0
	_, err := deadletter.Read(dir, func(l deadletter.Letter) error {
		letters++
		assert.True(t, strings.HasPrefix(l.Reason, "failed to parse value value"))
		return nil
	})
	require.NoError(t, err)
	assert.Equal(t, 1, letters)
}

func TestSlowNode(t *testing.T) {
	s := newServer(t)
	s.whole = func(n int, _ []action, _ http.ResponseWriter) bool {
		if n == 0 {
			time.Sleep(300 * time.Millisecond)
		}
		return false
	}
	e, _ := started(t, s, keys{"timeout": "100ms", "retry": keys{"max_retries": 9, "initial_interval": "50ms", "max_interval": "50ms"}})
	require.NoError(t, e.ConsumeLogs(t.Context(), records("a")))
}

func TestDeadNodeIsPassedOver(t *testing.T) {
	s := newServer(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	e, _ := started(t, s, keys{"endpoint": "", "endpoints": []any{"http://" + l.Addr().String(), s.URL}})
	for range 4 {
		require.NoError(t, e.ConsumeLogs(t.Context(), records("a")))
	}
	assert.Len(t, s.seen(), 4)
}

// With a queue and the retries of exporterhelper, every record arrives once and under one id.
func TestQueueRetriesWhatIsLeft(t *testing.T) {
	s := newServer(t)
	s.each = func(n int, a action) reply {
		if n < 4 && !strings.Contains(a.Body, "good") {
			return reply{503, "unavailable", "later"}
		}
		return reply{status: 201}
	}
	e, _ := started(t, s, keys{
		"retry":            keys{"enabled": false},
		"sending_queue":    keys{"wait_for_result": true},
		"retry_on_failure": keys{"enabled": true, "initial_interval": "1ms", "max_interval": "1ms"},
	})
	require.NoError(t, e.ConsumeLogs(t.Context(), records("good", "same", "same")))
	assert.Equal(t, []int{3, 2, 2, 2, 2}, s.seen())
	for _, request := range s.requests[1:] {
		assert.Equal(t, []string{s.requests[0][1].ID, s.requests[0][2].ID}, []string{request[0].ID, request[1].ID})
	}
	assert.NotEqual(t, s.requests[0][1].ID, s.requests[0][2].ID, "two identical lines are two")
}

func TestStamp(t *testing.T) {
	ld := records("a", "b", "c")
	list := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	list.At(0).Attributes().PutStr("log.record.uid", "mine")
	list.At(1).Attributes().PutStr("log.record.uid", "")
	list.At(2).SetTimestamp(0)
	require.NoError(t, stamp(ld))
	uid := func(i int) string {
		v, _ := list.At(i).Attributes().Get("log.record.uid")
		return v.Str()
	}
	assert.Equal(t, "mine", uid(0))
	assert.Len(t, uid(1), 36)
	assert.Less(t, uid(1), uid(2), "ids grow with time")
	assert.NotZero(t, list.At(2).ObservedTimestamp())
	before := uid(1)
	require.NoError(t, stamp(ld))
	assert.Equal(t, before, uid(1))
	assert.True(t, (&logsExporter{}).Capabilities().MutatesData)
}

func TestTemplates(t *testing.T) {
	s := newServer(t)
	answers := []int{503, 200, 403, 200}
	s.template = func() (status int) {
		status, answers = answers[0], answers[1:]
		return status
	}
	e, _ := started(t, s, keys{"templates": keys{"enabled": true}})
	require.ErrorContains(t, e.ConsumeLogs(t.Context(), records("a")), "index templates: Elasticsearch answered 503")
	assert.Empty(t, s.seen(), "a document before the templates would make a plain index")
	for range 2 {
		require.NoError(t, e.ConsumeLogs(t.Context(), records("a")), "a template that is refused stops nothing")
	}
	assert.Equal(t, []string{"auspex-logs", "auspex-logs", "auspex-incidents"}, s.puts, "once")
}

func TestOtherSignals(t *testing.T) {
	s := newServer(t)
	s.each = func(_ int, a action) reply {
		if strings.Contains(a.Body, "busy") {
			return reply{429, "busy", "busy"}
		}
		return reply{status: 201}
	}
	cfg := createDefaultConfig().(*Config)
	cfg.ClientConfig.Endpoint, cfg.Templates.Enabled, cfg.RetryConfig.Enabled, cfg.Retry.Enabled = s.URL, false, false, false
	w, err := newWindow(exportertest.NewNopSettings(metadata.Type), cfg, "traces")
	require.NoError(t, err)
	require.NoError(t, w.start(t.Context(), componenttest.NewNopHost()))
	td := ptrace.NewTraces()
	spans := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans()
	spans.AppendEmpty().SetName("fine")
	spans.AppendEmpty().Events().AppendEmpty().SetName("busy")
	var traces consumererror.Traces
	require.ErrorAs(t, w.pushTraces(t.Context(), td), &traces)
	assert.Equal(t, 1, traces.Data().SpanCount())

	md := pmetric.NewMetrics()
	metrics := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics()
	for _, name := range []string{"fine", "busy"} {
		m := metrics.AppendEmpty()
		m.SetName(name)
		m.SetEmptyGauge().DataPoints().AppendEmpty().SetIntValue(1)
	}
	var failed consumererror.Metrics
	require.ErrorAs(t, w.pushMetrics(t.Context(), md), &failed)
	assert.Equal(t, "busy", failed.Data().ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).Name())
	require.NoError(t, w.end(t.Context()))
}

// A pause between tries ends at shutdown, and the remaining documents are returned.
func TestShutdownEndsPauses(t *testing.T) {
	s := newServer(t)
	s.each = func(int, action) reply { return reply{503, "unavailable", "later"} }
	e, _ := started(t, s, keys{"retry": keys{"initial_interval": "1h", "max_interval": "1h"}})
	answer := make(chan error)
	go func() { answer <- e.ConsumeLogs(t.Context(), records("a")) }()
	require.Eventually(t, func() bool { return len(s.seen()) == 1 }, 5*time.Second, time.Millisecond)
	e.(*logsExporter).window.hurry()
	select {
	case err := <-answer:
		assert.Len(t, left(t, err), 1)
	case <-time.After(5 * time.Second):
		require.Fail(t, "the exporter still waits after the shutdown")
	}
}
