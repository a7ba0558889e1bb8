// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package prometheusremotewritereceiver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"syscall"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.uber.org/zap"

	"github.com/auspex-otel/auspex/internal/wire/promwrite"
	"github.com/auspex-otel/auspex/receiver/prometheusremotewritereceiver/internal/metadata"
)

// path is where senders write, as at a Prometheus.
const path = "/api/v1/write"

// server is the HTTP server and what it knows between requests.
type server struct {
	cfg        *Config
	set        receiver.Settings
	next       consumer.Metrics
	obs        *receiverhelper.ObsReport
	telemetry  *metadata.TelemetryBuilder
	gate       *gate
	translator *translator
	reports    reports
	readers    sync.Pool // of *reading

	http     *http.Server
	listener net.Listener
	running  sync.WaitGroup
}

func newServer(cfg *Config, set receiver.Settings, next consumer.Metrics) (*server, error) {
	obs, err := receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{ReceiverID: set.ID, Transport: "http", ReceiverCreateSettings: set})
	if err != nil {
		return nil, err
	}
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	s := &server{
		cfg: cfg, set: set, next: next, obs: obs, telemetry: telemetry,
		gate:       newGate(cfg.Limits.Requests, cfg.Limits.RequestsPerClient, cfg.Limits.Wait),
		translator: newTranslator(cfg.Limits.Remembered),
		reports:    newReports(set.Logger),
	}
	s.readers.New = func() any { return &reading{reader: promwrite.NewReader(cfg.Limits.limits())} }
	return s, nil
}

// Start listens. What would fail later for a wrong setting fails here.
func (s *server) Start(ctx context.Context, host component.Host) error {
	cfg := s.cfg.Server
	// The receiver decompresses by itself, since it has limits and answers of its own.
	cfg.CompressionAlgorithms = []string{""}
	mux := http.NewServeMux()
	mux.HandleFunc(path, s.write)
	httpServer, err := cfg.ToServer(ctx, host.GetExtensions(), s.set.TelemetrySettings, mux,
		confighttp.WithDecoder(encoding, asItIs), confighttp.WithErrorHandler(s.refuseEarly))
	if err != nil {
		return err
	}
	listener, err := cfg.ToListener(ctx)
	if err != nil {
		return s.listenError(err)
	}
	s.http, s.listener = httpServer, listener
	s.set.Logger.Info("waiting for senders", zap.Stringer("address", listener.Addr()), zap.String("path", path))
	s.running.Go(func() {
		if err := httpServer.Serve(listener); err != nil && !errors.Is(err, http.ErrServerClosed) {
			componentstatus.ReportStatus(host, componentstatus.NewFatalErrorEvent(err))
		}
	})
	return nil
}

// Shutdown accepts no more, and lets requests end for as long as ctx permits.
// What was not answered is sent again by its sender. It may be called without Start.
func (s *server) Shutdown(ctx context.Context) error {
	if s.http == nil {
		return nil
	}
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.http.Close())
	}
	s.running.Wait()
	s.http = nil
	s.telemetry.Shutdown()
	return err
}

func (s *server) listenError(err error) error {
	endpoint := s.cfg.Server.NetAddr.Endpoint
	key := "receivers::" + s.set.ID.String() + "::endpoint"
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%s: cannot listen on %s, another program does: end that program, or set another endpoint: %w", key, endpoint, err)
	}
	return fmt.Errorf("%s: cannot listen on %s: set an address of this machine that is free: %w", key, endpoint, err)
}
