// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package prometheusremotewriteexporter

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/consumer/consumererror"
)

func TestRequestSaysWhatItIs(t *testing.T) {
	for message, want := range map[string][2]string{
		messageV1: {"application/x-protobuf", "0.1.0"},
		messageV2: {"application/x-protobuf;proto=io.prometheus.write.v2.Request", "2.0.0"},
	} {
		t.Run(message, func(t *testing.T) {
			s := newServer(t, nil)
			e := start(t, s.URL, func(c *Config) {
				c.ProtobufMessage = message
				c.Client.Compression = "snappy"
				c.Client.Headers.Set("X-Scope-OrgID", configopaque.String("234"))
				c.IncludeMetadataKeys = []string{"X-Tenant"}
			})
			ctx := client.NewContext(t.Context(), client.Info{Metadata: client.NewMetadata(map[string][]string{"x-tenant": {"blue"}})})
			require.NoError(t, e.ConsumeMetrics(ctx, gauges(1000, 7, "load")))
			require.Len(t, s.seen(), 1)
			h := s.seen()[0].header
			assert.Equal(t, want[0], h.Get("Content-Type"))
			assert.Equal(t, want[1], h.Get("X-Prometheus-Remote-Write-Version"))
			assert.Equal(t, []string{"snappy"}, h.Values("Content-Encoding"))
			assert.Equal(t, "otelcol-auspex/1.2.3", h.Get("User-Agent"))
			assert.Equal(t, "234", h.Get("X-Scope-OrgID"))
			assert.Equal(t, "blue", h.Get("X-Tenant"))
			assert.Equal(t, map[string][]sample{`load{job="shop"}`: {{1000, 7}}}, s.store())
		})
	}
}

func TestStatusDecides(t *testing.T) {
	for _, tt := range []struct {
		status int
		header string // value of Retry-After or Location
		want   string // "" if accepted
		perm   bool
	}{
		{status: 200},
		{status: 202},
		{status: 204},
		{status: 400, want: "400 Bad Request: because", perm: true},
		{status: 401, want: "401 Unauthorized"},
		{status: 404, want: "404 Not Found"},
		{status: 413, want: "413", perm: true},
		{status: 415, want: "415", perm: true},
		{status: 408, want: "408 Request Timeout"},
		{status: 429, want: "429 Too Many Requests: because"},
		{status: 429, header: "7", want: "Throttle (7s)"},
		{status: 503, header: "99999999", want: "Throttle (24h0m0s)"},
		{status: 503, header: "soon", want: "503 Service Unavailable: because"},
		{status: 500, want: "500 Internal Server Error"},
		{status: 302, header: "https://elsewhere/write", want: "302 Found: redirects are not followed: set endpoint to https://elsewhere/write"},
	} {
		t.Run(http.StatusText(tt.status)+tt.header, func(t *testing.T) {
			s := newServer(t, func(w http.ResponseWriter, _ int, _ received) (int, string) {
				w.Header().Set("Retry-After", tt.header)
				w.Header().Set("Location", tt.header)
				return tt.status, "because"
			})
			err := start(t, s.URL, nil).ConsumeMetrics(t.Context(), gauges(1000, 7, "load"))
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tt.want)
			assert.Equal(t, tt.perm, consumererror.IsPermanent(err))
			assert.Len(t, s.seen(), 1)
		})
	}
}

func TestBrokenServersAreTriedAgain(t *testing.T) {
	for name, serve := range map[string]http.HandlerFunc{
		"stalled": func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		},
		"hangs up": func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				_ = conn.Close()
			}
		},
		"garbage": func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				_, _ = conn.Write([]byte("\x00\x01garbage\r\n\r\n"))
				_ = conn.Close()
			}
		},
		"half an answer": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte("half"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(serve)
			t.Cleanup(s.Close)
			e := start(t, s.URL, func(c *Config) { c.Client.Timeout = 200 * time.Millisecond })
			err := e.ConsumeMetrics(t.Context(), gauges(1000, 7, "load"))
			require.Error(t, err)
			assert.False(t, consumererror.IsPermanent(err), "%v", err)
		})
	}
}

func TestServerThatIsNotThereYet(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := l.Addr().String()
	require.NoError(t, l.Close())

	e := start(t, "http://"+address, retrying)
	done := make(chan error)
	go func() { done <- e.ConsumeMetrics(t.Context(), gauges(1000, 7, "load")) }()
	time.Sleep(50 * time.Millisecond)

	s := &server{}
	s.Server = httptest.NewUnstartedServer(s)
	s.Listener.Close()
	s.Listener, err = net.Listen("tcp", address)
	require.NoError(t, err)
	s.Server.Start()
	defer s.Close()
	require.NoError(t, <-done)
	assert.Equal(t, map[string][]sample{`load{job="shop"}`: {{1000, 7}}}, s.store())
}

func TestRetryAfterIsHonored(t *testing.T) {
	s := newServer(t, func(w http.ResponseWriter, n int, _ received) (int, string) {
		if n == 0 {
			w.Header().Set("Retry-After", "1")
			return http.StatusTooManyRequests, "slower"
		}
		return 0, ""
	})
	e := start(t, s.URL, retrying)
	began := time.Now()
	require.NoError(t, e.ConsumeMetrics(t.Context(), gauges(1000, 7, "load")))
	assert.GreaterOrEqual(t, time.Since(began), time.Second)
	assert.Len(t, s.seen(), 2)
}

func TestServerOfVersion2SaysWhatItWrote(t *testing.T) {
	for name, tt := range map[string]struct {
		says      string
		perm      string
		unwritten int64
	}{
		"all":                   {says: "3"},
		"two of three":          {says: "2", unwritten: 1},
		"none":                  {says: "0", perm: "does not confirm any of 3 samples"},
		"a 1.0 server is quiet": {says: "nothing", perm: "set protobuf_message: prometheus.WriteRequest"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, func(w http.ResponseWriter, _ int, _ received) (int, string) {
				w.Header().Set("X-Prometheus-Remote-Write-Samples-Written", tt.says)
				return 0, ""
			})
			e := start(t, s.URL, message(messageV2))
			err := e.ConsumeMetrics(t.Context(), gauges(1000, 7, "a", "b", "c"))
			if tt.perm != "" {
				require.ErrorContains(t, err, tt.perm)
				assert.True(t, consumererror.IsPermanent(err))
				return
			}
			require.NoError(t, err)
			if tt.unwritten > 0 {
				assert.Equal(t, tt.unwritten, e.counter(t, "unwritten_samples"))
				assert.Equal(t, 1, e.log.FilterMessageSnippet("did not write all").Len())
			}
		})
	}
}

func TestErrorHasNoSecretOfTheAddress(t *testing.T) {
	e := start(t, "http://user:pw-1@127.0.0.1:1/api/v1/write?token=abc", nil)
	err := e.ConsumeMetrics(t.Context(), gauges(1000, 1, "m"))
	require.ErrorContains(t, err, "http://127.0.0.1:1/api/v1/write")
	assert.NotContains(t, err.Error(), "pw-1")
	assert.NotContains(t, err.Error(), "abc")
}
