// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package receiverutil

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/auspex-otel/auspex/internal/shutdown"
)

// reporter is a host that keeps the statuses of a component.
type reporter struct {
	component.Host
	mu     sync.Mutex
	events []*componentstatus.Event
}

func (r *reporter) Report(e *componentstatus.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
}

func settings(t *testing.T) (receiver.Settings, HTTPOptions) {
	t.Helper()
	config := confighttp.NewDefaultServerConfig()
	config.NetAddr.Endpoint = "127.0.0.1:0"
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "inner") })
	return receivertest.NewNopSettings(component.MustNewType("receiver")), HTTPOptions{Config: config, Handler: handler}
}

func TestHTTPServer(t *testing.T) {
	set, o := settings(t)
	o.Outermost = func(inner http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Outer", "yes")
			inner.ServeHTTP(w, r)
		})
	}
	host := &reporter{Host: componenttest.NewNopHost()}
	s, err := StartHTTP(t.Context(), host, set, o)
	require.NoError(t, err)
	res, err := http.Get("http://" + s.Addr().String())
	require.NoError(t, err)
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	assert.Equal(t, "inner", string(text))
	assert.Equal(t, "yes", res.Header.Get("X-Outer"))

	o.Config.NetAddr.Endpoint = s.Addr().String()
	_, err = StartHTTP(t.Context(), host, set, o)
	require.ErrorContains(t, err, Key(set.ID, "endpoint")+": cannot listen on "+s.Addr().String()+", another program does")
	o.Config.NetAddr.Endpoint = "203.0.113.1:1"
	_, err = StartHTTP(t.Context(), host, set, o)
	require.ErrorContains(t, err, "set an address of this machine that is free")

	require.NoError(t, s.Shutdown(t.Context()))
	assert.Empty(t, host.events, "a shutdown is no failure")
}

func TestServerThatFailsIsAPermanentError(t *testing.T) {
	core, log := observer.New(zap.ErrorLevel)
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	host := &reporter{Host: componenttest.NewNopHost()}
	s := &HTTPServer{server: &http.Server{}}
	s.serve(listener, host, zap.New(core))
	require.Len(t, host.events, 1)
	assert.Equal(t, componentstatus.StatusPermanentError, host.events[0].Status())
	require.ErrorIs(t, host.events[0].Err(), net.ErrClosed)
	assert.Equal(t, 1, log.Len())
}

// TestShutdownEndsInTime verifies that a stalled client or pipeline delays a shutdown at most by shutdown.Drain.
func TestShutdownEndsInTime(t *testing.T) {
	set, o := settings(t)
	entered, canceled := make(chan struct{}), make(chan struct{})
	o.Handler = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(entered)
		<-r.Context().Done()
		time.Sleep(50 * time.Millisecond)
		close(canceled)
	})
	s, err := StartHTTP(t.Context(), componenttest.NewNopHost(), set, o)
	require.NoError(t, err)
	go func() {
		res, err := http.Get("http://" + s.Addr().String())
		if err == nil {
			_ = res.Body.Close()
		}
	}()
	<-entered
	begin := time.Now()
	require.ErrorContains(t, s.Shutdown(context.Background()), "requests were not finished")
	assert.InDelta(t, shutdown.Drain.Seconds(), time.Since(begin).Seconds(), 1)
	select {
	case <-canceled:
	default:
		assert.Fail(t, "the pipeline had not returned")
	}
}
