// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package receiverutil

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"

	"github.com/auspex-otel/auspex/internal/shutdown"
)

// Key returns the place of a receiver's setting in the configuration.
func Key(id component.ID, name string) string { return "receivers::" + id.String() + "::" + name }

// ListenError explains why a receiver cannot listen on an endpoint.
func ListenError(id component.ID, endpoint string, err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%s: cannot listen on %s, another program does: end that program, or set another endpoint: %w", Key(id, "endpoint"), endpoint, err)
	}
	return fmt.Errorf("%s: cannot listen on %s: set an address of this machine that is free: %w", Key(id, "endpoint"), endpoint, err)
}

// ReportFailure logs that a server failed after it started, and reports it as a
// permanent error of the component. The collector continues.
func ReportFailure(host component.Host, logger *zap.Logger, err error) {
	logger.Error("The receiver accepts no more data, restart the collector", zap.Error(err))
	componentstatus.ReportStatus(host, componentstatus.NewPermanentErrorEvent(err))
}

// maxHeaderBytes bounds the head of a request, which is held until the rest arrives. The default of net/http is 1
// MiB, which is too much for thousands of clients.
const maxHeaderBytes = 32 << 10

// HTTPServer is the running HTTP server of a receiver.
type HTTPServer struct {
	server   *http.Server
	address  net.Addr
	running  sync.WaitGroup
	requests sync.WaitGroup
}

// HTTPOptions configures the server of a receiver.
type HTTPOptions struct {
	Config  confighttp.ServerConfig
	Handler http.Handler
	Server  []confighttp.ToServerOption
	// Outermost wraps the handler together with the checks of confighttp. It may be nil.
	Outermost func(http.Handler) http.Handler
}

// StartHTTP listens and serves until Shutdown. If the server fails later, it
// reports that to the host as ReportFailure does.
func StartHTTP(ctx context.Context, host component.Host, set receiver.Settings, o HTTPOptions) (*HTTPServer, error) {
	server, err := o.Config.ToServer(ctx, host.GetExtensions(), set.TelemetrySettings, o.Handler, o.Server...)
	if err != nil {
		return nil, fmt.Errorf("receivers::%s: %w", set.ID, err)
	}
	server.MaxHeaderBytes = maxHeaderBytes
	if o.Outermost != nil {
		server.Handler = o.Outermost(server.Handler)
	}
	listener, err := o.Config.ToListener(ctx)
	if err != nil {
		return nil, ListenError(set.ID, o.Config.NetAddr.Endpoint, err)
	}
	s := &HTTPServer{server: server, address: listener.Addr()}
	server.Handler = s.counted(server.Handler)
	set.Logger.Info("Waiting for clients", zap.Stringer("address", s.address), zap.Bool("tls", o.Config.TLS.HasValue()))
	s.running.Go(func() { s.serve(listener, host, set.Logger) })
	return s, nil
}

func (s *HTTPServer) serve(listener net.Listener, host component.Host, logger *zap.Logger) {
	if err := s.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		ReportFailure(host, logger, err)
	}
}

// Addr returns the address on which the server listens.
func (s *HTTPServer) Addr() net.Addr { return s.address }

// counted counts the requests that are served.
func (s *HTTPServer) counted(inner http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.requests.Add(1)
		defer s.requests.Done()
		inner.ServeHTTP(w, r)
	})
}

// Shutdown stops listening and waits for the requests that have begun, as long
// as ctx permits and at most shutdown.Drain. Then it closes their connections,
// which cancels them in the pipeline, waits for them once more, and returns an error.
func (s *HTTPServer) Shutdown(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, shutdown.Drain)
	defer cancel()
	err := s.server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(fmt.Errorf("requests were not finished; they were not answered: %w", err), s.server.Close())
		wait(&s.requests, LastGrace)
	}
	s.running.Wait()
	return err
}

// LastGrace is the time for the pipeline to return after its context was canceled.
const LastGrace = time.Second

// wait waits for a group, but not longer than patience.
func wait(group *sync.WaitGroup, patience time.Duration) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		group.Wait()
	}()
	select {
	case <-done:
	case <-time.After(patience):
	}
}
