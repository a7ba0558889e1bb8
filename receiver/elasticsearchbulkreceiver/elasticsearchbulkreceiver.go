// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package elasticsearchbulkreceiver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/auspex-otel/auspex/internal/door"
	"github.com/auspex-otel/auspex/receiver/elasticsearchbulkreceiver/internal/metadata"
)

// answerTimeout is for a client that does not read its answer.
const answerTimeout = 10 * time.Second

// server serves the clients of one address, for the pipelines of logs and metrics, of which one may be nil.
type server struct {
	cfg       *Config
	set       receiver.Settings
	logger    *zap.Logger
	logs      consumer.Logs
	metrics   consumer.Metrics
	obs       *receiverhelper.ObsReport
	telemetry *metadata.TelemetryBuilder
	slots     *door.Slots

	http     *http.Server
	address  net.Addr
	draining atomic.Bool
	running  sync.WaitGroup
}

func newServer(cfg *Config, set receiver.Settings) (*server, error) {
	obs, err := receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{ReceiverID: set.ID, Transport: "http", ReceiverCreateSettings: set})
	if err != nil {
		return nil, err
	}
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	return &server{
		cfg: cfg, set: set, logger: set.Logger, obs: obs, telemetry: telemetry,
		slots: door.NewSlots(cfg.MaxRequests, cfg.MaxRequestsPerClient),
	}, nil
}

// Start listens. What would fail later for a wrong setting fails here.
func (s *server) Start(ctx context.Context, host component.Host) error {
	var err error
	s.http, err = s.cfg.ServerConfig.ToServer(ctx, host.GetExtensions(), s.set.TelemetrySettings, http.HandlerFunc(s.serve), confighttp.WithErrorHandler(s.turnedAway))
	if err != nil {
		return fmt.Errorf("receivers::%s: %w", s.set.ID, err)
	}
	// Outside of everything else: clients take no answer without it, not even a refusal.
	inner := s.http.Handler
	s.http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Elastic-Product", "Elasticsearch")
		inner.ServeHTTP(w, r)
	})
	listener, err := s.cfg.ServerConfig.ToListener(ctx)
	if err != nil {
		s.http = nil
		return s.listenError(err)
	}
	s.address = listener.Addr()
	s.logger.Info("waiting for clients of Elasticsearch", zap.Stringer("address", s.address), zap.Bool("tls", s.cfg.ServerConfig.TLS.HasValue()))
	s.running.Go(func() {
		if err := s.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.logger.Error("the receiver serves no more", zap.Error(err))
		}
	})
	return nil
}

// Shutdown lets every request that has begun end for as long as ctx permits.
// What was not answered is sent again by its sender. It may be called without Start.
func (s *server) Shutdown(ctx context.Context) error {
	if s.http == nil {
		return nil
	}
	s.draining.Store(true)
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(fmt.Errorf("requests were not finished; they were not answered: %w", err), s.http.Close())
	}
	s.running.Wait()
	s.telemetry.Shutdown()
	return err
}

func (s *server) listenError(err error) error {
	key, endpoint := fmt.Sprintf("receivers::%s::endpoint", s.set.ID), s.cfg.ServerConfig.NetAddr.Endpoint
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%s: cannot listen on %s, another program does: end that program, or set another endpoint: %w", key, endpoint, err)
	}
	return fmt.Errorf("%s: cannot listen on %s: %w", key, endpoint, err)
}

// failed counts a request that was refused as a whole, and says so.
func (s *server) failed(r *http.Request, why string, err error) {
	s.telemetry.ReceiverElasticsearchBulkErrors.Add(context.WithoutCancel(r.Context()), 1, metric.WithAttributes(attribute.String("reason", why)))
	s.logger.Warn("request refused", zap.String("client", r.RemoteAddr), zap.String("reason", why), zap.Error(err))
}
