// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package consoleextension

import (
	"context"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configtls"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/auspex-otel/auspex/extension/consoleextension/internal/metadata"
)

func TestFactory(t *testing.T) {
	f := NewFactory()
	cfg := f.CreateDefaultConfig().(*Config)
	assert.Equal(t, "127.0.0.1:8899", cfg.Server.NetAddr.Endpoint)
	require.NoError(t, cfg.Validate())
	e, err := f.Create(t.Context(), extensiontest.NewNopSettings(metadata.Type), cfg)
	require.NoError(t, err)
	require.NoError(t, e.Shutdown(t.Context()))
	require.NoError(t, e.Shutdown(t.Context()), "shutting down twice")
}

func TestTakenPort(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	endpoint := taken.Addr().String()

	c := newTestConsole(endpoint)
	c.set.ID = component.NewIDWithName(metadata.Type, "second")
	err = c.Start(t.Context(), newHost())
	require.ErrorContains(t, err, "extensions::anomaly_console/second::endpoint: the console cannot listen on "+endpoint)
	require.ErrorContains(t, err, "end that program, or set another endpoint")
	require.NoError(t, c.Shutdown(t.Context()))
}

func TestForeignAddress(t *testing.T) {
	c := newTestConsole("192.0.2.1:0") // of no machine: RFC 5737
	err := c.Start(t.Context(), newHost())
	require.ErrorContains(t, err, "extensions::anomaly_console::endpoint: the console cannot listen on 192.0.2.1:0: set an address of this machine")
	require.NoError(t, c.Shutdown(t.Context()))
}

func TestMissingCertificate(t *testing.T) {
	c := newTestConsole("127.0.0.1:0")
	c.cfg.Server.TLS = configoptional.Some(configtls.ServerConfig{Config: configtls.Config{CertFile: "absent.crt", KeyFile: "absent.key"}})
	require.ErrorContains(t, c.Start(t.Context(), newHost()), "absent.crt")
	require.NoError(t, c.Shutdown(t.Context()))
}

func TestUnknownAuthenticator(t *testing.T) {
	c := newTestConsole("127.0.0.1:0")
	auth := confmap.NewFromStringMap(map[string]any{"auth": map[string]any{"authenticator": "absent"}})
	require.NoError(t, auth.Unmarshal(c.cfg))
	err := c.Start(t.Context(), newHost())
	require.ErrorContains(t, err, "extensions::anomaly_console: the console's server: ")
	require.ErrorContains(t, err, "absent")
	require.NoError(t, c.Shutdown(t.Context()))
}

func TestHostHeader(t *testing.T) {
	base := startConsole(t, newHost(newEngine()))
	for host, status := range map[string]int{
		"localhost":             200,
		"LocalHost:8899":        200,
		"127.0.0.1":             200,
		"127.0.0.1:8899":        200,
		"[::1]":                 200,
		"[::1]:8899":            200,
		"evil.example":          403,
		"evil.example:8899":     403,
		"localhost.evil.test":   403,
		"127.0.0.1.evil.test":   403,
		"192.0.2.7:8899":        403,
		"0.0.0.0:8899":          403,
		"user@localhost":        403,
		"localhost:8899:evil.c": 403,
	} {
		req := request(t, http.MethodGet, base+"/api/v1/status")
		req.Host = host
		a := ask(t, req)
		assert.Equal(t, status, a.status, host)
		if status == http.StatusForbidden {
			assert.Contains(t, a.body["error"], "the Host header is ")
		}
	}
}

func TestOpenToTheNetwork(t *testing.T) {
	core, logs := observer.New(zap.WarnLevel)
	c := newTestConsole("0.0.0.0:0")
	c.set.Logger = zap.New(core)
	require.NoError(t, c.Start(t.Context(), newHost(newEngine())))
	defer func() { require.NoError(t, c.Shutdown(context.WithoutCancel(t.Context()))) }()
	require.Equal(t, 1, logs.FilterMessageSnippet("answers everyone who can reach it").Len())

	_, port, err := net.SplitHostPort(c.addr.String())
	require.NoError(t, err)
	req := request(t, http.MethodGet, "http://127.0.0.1:"+port+"/api/v1")
	req.Host = "collector.example"
	assert.Equal(t, http.StatusOK, ask(t, req).status, "a name is right where the endpoint is not loopback")
}

func TestUnixSocket(t *testing.T) {
	c := newTestConsole(filepath.Join(t.TempDir(), "s"))
	c.cfg.Server.NetAddr.Transport = "unix"
	require.NoError(t, c.Start(t.Context(), newHost(newEngine())))
	defer func() { require.NoError(t, c.Shutdown(context.WithoutCancel(t.Context()))) }()
	through := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", c.cfg.Server.NetAddr.Endpoint)
	}}}
	resp, err := through.Do(request(t, http.MethodGet, "http://any/api/v1/status"))
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	assert.Equal(t, http.StatusOK, resp.StatusCode)
}

func TestGarbledBodyIsAnsweredInJSON(t *testing.T) {
	base := startConsole(t, newHost(newEngine()))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/", strings.NewReader("not gzip"))
	require.NoError(t, err)
	req.Header.Set("Content-Encoding", "gzip")
	a := ask(t, req)
	assert.Equal(t, http.StatusBadRequest, a.status)
	assert.NotEmpty(t, a.body["error"])
}

// statusHost keeps the events that are reported to it.
type statusHost struct {
	component.Host
	mu     sync.Mutex
	events []*componentstatus.Event
}

func (h *statusHost) Report(e *componentstatus.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, e)
}

func TestServerThatBreaksEndsNothingElse(t *testing.T) {
	h := &statusHost{Host: componenttest.NewNopHost()}
	c := newTestConsole("127.0.0.1:0")
	core, logs := observer.New(zap.ErrorLevel)
	c.set.Logger = zap.New(core)
	broken := &brokenListener{fail: make(chan struct{})}
	require.NoError(t, c.serve(t.Context(), h, broken))
	close(broken.fail)
	select {
	case <-c.done:
	case <-time.After(10 * time.Second):
		t.Fatal("the server is still there")
	}
	require.NoError(t, c.Shutdown(t.Context()))
	assert.Equal(t, 1, logs.FilterMessageSnippet("telemetry is not affected").Len())
	require.Len(t, h.events, 1)
	assert.Equal(t, componentstatus.StatusPermanentError, h.events[0].Status())
}

// brokenListener fails to accept.
type brokenListener struct{ fail chan struct{} }

func (b *brokenListener) Accept() (net.Conn, error) {
	<-b.fail
	return nil, net.ErrClosed
}
func (*brokenListener) Close() error   { return nil }
func (*brokenListener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

func TestShutdownLetsARequestEnd(t *testing.T) {
	c := newTestConsole("127.0.0.1:0")
	require.NoError(t, c.Start(t.Context(), newHost(newEngine())))
	conn, err := net.Dial("tcp", c.addr.String())
	require.NoError(t, err)
	defer conn.Close()
	_, err = conn.Write([]byte("GET / HTTP/1.1\r\n")) // never finished
	require.NoError(t, err)
	time.Sleep(50 * time.Millisecond)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, c.Shutdown(ctx), context.DeadlineExceeded)
	_, err = net.DialTimeout("tcp", c.addr.String(), time.Second)
	require.Error(t, err, "still listening")
}
