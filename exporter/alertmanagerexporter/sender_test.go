// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package alertmanagerexporter

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/auspex-otel/auspex/exporter/alertmanagerexporter/internal/metadata"
	"github.com/auspex-otel/auspex/internal/incident"
)

// server is a fake Alertmanager that keeps what it accepts.
type server struct {
	*httptest.Server
	mu       sync.Mutex
	requests [][]alert
	kept     []alert
	header   http.Header // of the last request
	answer   func(w http.ResponseWriter, n int, alerts []alert) int
}

// newServer starts a server. answer returns the status of the response to request n, counted from 0; nil: 200.
func newServer(t *testing.T, answer func(w http.ResponseWriter, n int, alerts []alert) int) *server {
	t.Helper()
	s := &server{answer: answer}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var alerts []alert
	if err := json.NewDecoder(r.Body).Decode(&alerts); err != nil || r.URL.Path != alertsPath || r.Method != http.MethodPost {
		http.Error(w, "not a request of the API", http.StatusTeapot)
		return
	}
	s.mu.Lock()
	n := len(s.requests)
	s.requests, s.header = append(s.requests, alerts), r.Header
	s.mu.Unlock()
	status := http.StatusOK
	if s.answer != nil {
		status = s.answer(w, n, alerts)
	}
	if status == http.StatusOK {
		s.mu.Lock()
		s.kept = append(s.kept, alerts...)
		s.mu.Unlock()
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, "because")
}

func (s *server) accepted() []alert {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]alert(nil), s.kept...)
}

func always(status int) func(http.ResponseWriter, int, []alert) int {
	return func(http.ResponseWriter, int, []alert) int { return status }
}

// host has one extension, a storage.
type host struct{ ext component.Component }

func (h host) GetExtensions() map[component.ID]component.Component {
	return map[component.ID]component.Component{storageID: h.ext}
}

var storageID = component.MustNewID("file_storage")

// start starts an exporter that retries nothing.
func start(t *testing.T, h component.Host, change func(*Config), endpoints ...string) exporter.Logs {
	t.Helper()
	cfg := createDefaultConfig().(*Config)
	cfg.Endpoints = endpoints
	cfg.Retry.Enabled = false
	cfg.ResendInterval = time.Hour
	if change != nil {
		change(cfg)
	}
	e, err := NewFactory().CreateLogs(t.Context(), exportertest.NewNopSettings(metadata.Type), cfg)
	require.NoError(t, err)
	require.NoError(t, e.Start(t.Context(), h))
	t.Cleanup(func() { require.NoError(t, e.Shutdown(context.Background())) })
	return e
}

func closedIncident(id string) *incident.Incident {
	i := anIncident(id)
	i.State, i.Closed, i.Updated = incident.StateClosed, noon.Add(time.Hour), noon.Add(time.Hour)
	return i
}

func TestIncidentFiresAndResolves(t *testing.T) {
	s := newServer(t, nil)
	e := start(t, componenttest.NewNopHost(), nil, s.URL)
	require.NoError(t, e.ConsumeLogs(t.Context(), logs(anIncident("a"))))
	require.NoError(t, e.ConsumeLogs(t.Context(), logs(closedIncident("a"))))
	require.NoError(t, e.ConsumeLogs(t.Context(), logs(anIncident("a"))), "a late repetition of the open state")
	got := s.accepted()
	require.Len(t, got, 2)
	assert.Equal(t, noon, got[0].StartsAt)
	assert.WithinDuration(t, time.Now().Add(4*time.Hour), got[0].EndsAt, time.Minute)
	assert.Equal(t, noon.Add(time.Hour), got[1].EndsAt)
	assert.Equal(t, got[0].Labels, got[1].Labels)
	assert.Equal(t, "application/json", s.header.Get("Content-Type"))
}

func TestOtherRecordsCauseNoRequest(t *testing.T) {
	s := newServer(t, nil)
	e := start(t, componenttest.NewNopHost(), nil, s.URL)
	ld := logs(anIncident("a"))
	ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(1).SetEventName("other")
	require.NoError(t, e.ConsumeLogs(t.Context(), ld))
	assert.Empty(t, s.requests)
}

func TestOpenIncidentIsSentAgain(t *testing.T) {
	s := newServer(t, nil)
	e := start(t, componenttest.NewNopHost(), func(c *Config) { c.ResendInterval = 10 * time.Millisecond }, s.URL)
	require.NoError(t, e.ConsumeLogs(t.Context(), logs(anIncident("a"), anIncident("b"))))
	require.Eventually(t, func() bool { return len(s.accepted()) >= 10 }, 10*time.Second, time.Millisecond)
	got := s.accepted()
	assert.True(t, got[9].EndsAt.After(got[0].EndsAt), "each resend prolongs the alert")
}

func TestEveryAlertmanagerGetsTheAlert(t *testing.T) {
	one, two, down := newServer(t, nil), newServer(t, nil), newServer(t, always(http.StatusServiceUnavailable))
	for name, tt := range map[string]struct {
		endpoints []string
		want      string
		permanent bool
	}{
		"all":                       {[]string{one.URL, two.URL}, "", false},
		"one is enough":             {[]string{down.URL, one.URL, "http://127.0.0.1:1"}, "", false},
		"none":                      {[]string{down.URL, "http://127.0.0.1:1"}, "no Alertmanager accepts the alerts: ", false},
		"one rejects, one is down":  {[]string{newServer(t, always(http.StatusBadRequest)).URL, down.URL}, "400 Bad Request: because", false},
		"all reject":                {[]string{newServer(t, always(http.StatusBadRequest)).URL, newServer(t, always(422)).URL}, "alertmanager rejects 1 alerts", true},
		"one rejects, one accepts":  {[]string{newServer(t, always(http.StatusBadRequest)).URL, two.URL}, "", false},
		"wrong address: correct it": {[]string{newServer(t, always(http.StatusNotFound)).URL}, "404 Not Found", false},
	} {
		t.Run(name, func(t *testing.T) {
			e := start(t, componenttest.NewNopHost(), nil, tt.endpoints...)
			err := e.ConsumeLogs(t.Context(), logs(anIncident("a")))
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tt.want)
			assert.Equal(t, tt.permanent, consumererror.IsPermanent(err))
		})
	}
	assert.Len(t, one.accepted(), 2)
	assert.Len(t, two.accepted(), 2)
}

func TestRetryAndRedirect(t *testing.T) {
	s := newServer(t, func(w http.ResponseWriter, n int, _ []alert) int {
		if n == 0 {
			w.Header().Set("Retry-After", "1")
			return http.StatusTooManyRequests
		}
		return http.StatusOK
	})
	e := start(t, componenttest.NewNopHost(), func(c *Config) { c.Retry.Enabled = true }, s.URL)
	began := time.Now()
	require.NoError(t, e.ConsumeLogs(t.Context(), logs(anIncident("a"))))
	assert.GreaterOrEqual(t, time.Since(began), time.Second)

	elsewhere := newServer(t, nil)
	redirect := newServer(t, func(w http.ResponseWriter, _ int, _ []alert) int {
		w.Header().Set("Location", elsewhere.URL+alertsPath)
		return http.StatusTemporaryRedirect
	})
	err := start(t, componenttest.NewNopHost(), nil, redirect.URL).ConsumeLogs(t.Context(), logs(anIncident("a")))
	require.ErrorContains(t, err, "redirects are not followed: set endpoint to "+elsewhere.URL)
	assert.False(t, consumererror.IsPermanent(err))
	assert.Empty(t, elsewhere.requests)
}

func TestBrokenServersAreRetried(t *testing.T) {
	for name, serve := range map[string]http.HandlerFunc{
		"stalled": func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		},
		"half an answer": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			w.WriteHeader(http.StatusBadRequest)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(serve)
			t.Cleanup(s.Close)
			e := start(t, componenttest.NewNopHost(), func(c *Config) { c.Client.Timeout = 100 * time.Millisecond }, s.URL)
			err := e.ConsumeLogs(t.Context(), logs(anIncident("a")))
			require.Error(t, err)
			assert.False(t, consumererror.IsPermanent(err), "%v", err)
		})
	}
}

// Alertmanager rejects a request as a whole, so the alerts of the others are sent alone.
func TestRejectedAlertCostsItselfOnly(t *testing.T) {
	s := newServer(t, func(_ http.ResponseWriter, _ int, alerts []alert) int {
		for _, a := range alerts {
			if a.Labels["incident_id"] == "bad" {
				return http.StatusBadRequest
			}
		}
		return http.StatusOK
	})
	folder := t.TempDir()
	e := start(t, componenttest.NewNopHost(), func(c *Config) {
		c.DeadLetter.Directory, c.ResendInterval = folder, 20*time.Millisecond
	}, s.URL)
	require.NoError(t, e.ConsumeLogs(t.Context(), logs(anIncident("a"), anIncident("bad"), anIncident("c"))))
	ids := map[string]bool{}
	for _, a := range s.accepted() {
		ids[a.Labels["incident_id"]] = true
	}
	assert.Equal(t, map[string]bool{"a": true, "c": true}, ids)
	time.Sleep(100 * time.Millisecond) // resends must not repeat the rejected alert
	files, err := filepath.Glob(filepath.Join(folder, "*", "*"))
	require.NoError(t, err)
	var all strings.Builder
	for _, name := range files {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		all.Write(text)
	}
	letters := all.String()
	assert.Equal(t, 1, strings.Count(letters, `"reason"`), letters)
	assert.Contains(t, letters, `"incident_id":"bad"`)
	assert.Contains(t, letters, "400 Bad Request: because")
}

func TestManyAlertsAreSentInSeveralRequests(t *testing.T) {
	s := newServer(t, nil)
	e := start(t, componenttest.NewNopHost(), nil, s.URL)
	var many []*incident.Incident
	for i := range 100 {
		many = append(many, anIncident(string(rune('A'+i))))
	}
	require.NoError(t, e.ConsumeLogs(t.Context(), logs(many...)))
	assert.Len(t, s.accepted(), 100)
	assert.Len(t, s.requests, 2)
}

func TestShutdownDoesNotWaitForAServerThatStalls(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}))
	t.Cleanup(s.Close)
	cfg := createDefaultConfig().(*Config)
	cfg.Client.Endpoint, cfg.Client.Timeout = s.URL, time.Minute
	cfg.Queue.GetOrInsertDefault()
	e, err := NewFactory().CreateLogs(t.Context(), exportertest.NewNopSettings(metadata.Type), cfg)
	require.NoError(t, err)
	require.NoError(t, e.Start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, e.ConsumeLogs(t.Context(), logs(anIncident("a"))))
	began := time.Now()
	require.NoError(t, e.Shutdown(t.Context()))
	assert.Less(t, time.Since(began), 10*time.Second)
}

func withStorage(c *Config) { c.Storage = &storageID }

func TestRestartContinuesToSend(t *testing.T) {
	disk := &memory{}
	s := newServer(t, nil)
	first := start(t, host{disk}, withStorage, s.URL)
	require.NoError(t, first.ConsumeLogs(t.Context(), logs(anIncident("a"), closedIncident("b"))))
	before := s.accepted()

	again := newServer(t, nil)
	second := start(t, host{disk}, func(c *Config) { withStorage(c); c.DefaultSeverity = "critical" }, again.URL)
	require.Eventually(t, func() bool { return len(again.accepted()) == 2 }, 10*time.Second, time.Millisecond)
	got := again.accepted()
	assert.Equal(t, before[0].Labels, got[0].Labels, "the same alert, although the configuration has changed")
	assert.Equal(t, before[0].Annotations, got[0].Annotations)
	assert.True(t, got[0].EndsAt.After(time.Now()))
	assert.Equal(t, noon.Add(time.Hour), got[1].EndsAt)
	require.NoError(t, second.ConsumeLogs(t.Context(), logs(closedIncident("a"))))
	assert.Equal(t, before[0].Labels, again.accepted()[2].Labels)
}

func TestStorageThatFails(t *testing.T) {
	s := newServer(t, nil)
	for name, content := range map[string]string{"not JSON": "{", "other version": `{"version":2}`, "null": `{"version":1,"alerts":[null,{}]}`} {
		t.Run(name, func(t *testing.T) {
			e := start(t, host{&memory{content: []byte(content)}}, withStorage, s.URL)
			require.NoError(t, e.ConsumeLogs(t.Context(), logs(anIncident("a"))))
		})
	}
	e := start(t, host{&memory{full: true}}, withStorage, s.URL)
	require.NoError(t, e.ConsumeLogs(t.Context(), logs(anIncident("a"))), "delivery does not depend on storage")

	for want, h := range map[string]component.Host{
		`no extension "file_storage" is configured`:        componenttest.NewNopHost(),
		`extension "file_storage" is no storage extension`: host{nopComponent{}},
		`cannot open "file_storage": file does not exist`:  host{&memory{closed: true}},
	} {
		cfg := testConfig()
		withStorage(cfg)
		e, err := NewFactory().CreateLogs(t.Context(), exportertest.NewNopSettings(metadata.Type), cfg)
		require.NoError(t, err)
		require.ErrorContains(t, e.Start(t.Context(), h), want)
		require.NoError(t, e.Shutdown(t.Context()))
	}
}

type nopComponent struct {
	component.StartFunc
	component.ShutdownFunc
}

// memory is a storage with one key.
type memory struct {
	nopComponent
	mu           sync.Mutex
	content      []byte
	full, closed bool
}

func (m *memory) GetClient(context.Context, component.Kind, component.ID, string) (storage.Client, error) {
	if m.closed {
		return nil, os.ErrNotExist
	}
	return m, nil
}

func (m *memory) Get(context.Context, string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.content, nil
}

func (m *memory) Set(_ context.Context, _ string, value []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.full {
		return os.ErrInvalid
	}
	m.content = value
	return nil
}

func (*memory) Delete(context.Context, string) error               { return nil }
func (*memory) Batch(context.Context, ...*storage.Operation) error { return nil }
func (*memory) Close(context.Context) error                        { return nil }
