// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package prometheusremotewritereceiver

import (
	"context"
	"net/http"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"

	"github.com/auspex-otel/auspex/internal/logutil"
	"github.com/auspex-otel/auspex/internal/receiverutil"
	"github.com/auspex-otel/auspex/internal/wire/promwrite"
	"github.com/auspex-otel/auspex/receiver/prometheusremotewritereceiver/internal/metadata"
)

// path is the write path, as in Prometheus.
const path = "/api/v1/write"

// server is the HTTP server with its state between requests.
type server struct {
	cfg        *Config
	set        receiver.Settings
	next       consumer.Metrics
	obs        *receiverhelper.ObsReport
	telemetry  *metadata.TelemetryBuilder
	log        *logutil.Limiter
	admission  *receiverutil.Admission
	translator *translator
	readers    sync.Pool // of *reading

	http *receiverutil.HTTPServer
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
		log:        logutil.NewLimiter(set.Logger),
		admission:  receiverutil.NewAdmission(cfg.Limits),
		translator: newTranslator(cfg.Remembered),
	}
	s.readers.New = func() any { return &reading{reader: promwrite.NewReader(cfg.codecLimits())} }
	return s, nil
}

// Start listens on the endpoint. It returns an error for settings that would fail later.
func (s *server) Start(ctx context.Context, host component.Host) (err error) {
	cfg := s.cfg.Server
	// The receiver decompresses bodies itself, because it has its own limits and responses.
	cfg.CompressionAlgorithms = []string{""}
	mux := http.NewServeMux()
	mux.HandleFunc(path, s.write)
	s.http, err = receiverutil.StartHTTP(ctx, host, s.set, receiverutil.HTTPOptions{
		Config: cfg, Handler: mux,
		Server: []confighttp.ToServerOption{confighttp.WithDecoder(encoding, asItIs), confighttp.WithErrorHandler(s.refuseEarly)},
	})
	return err
}

// Shutdown stops accepting requests and waits until requests in progress end or ctx is done.
// Clients send unanswered requests again. It may be called without Start.
func (s *server) Shutdown(ctx context.Context) error {
	if s.http == nil {
		return nil
	}
	err := s.http.Shutdown(ctx)
	s.telemetry.Shutdown()
	return err
}
