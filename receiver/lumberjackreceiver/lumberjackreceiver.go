// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package lumberjackreceiver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/auspex-otel/auspex/internal/deadletter"
	"github.com/auspex-otel/auspex/internal/logutil"
	"github.com/auspex-otel/auspex/internal/receiverutil"
	"github.com/auspex-otel/auspex/internal/shutdown"
	"github.com/auspex-otel/auspex/receiver/lumberjackreceiver/internal/metadata"
)

// acceptPause is the pause after a failed accept, for example when file descriptors run out.
const acceptPause = 100 * time.Millisecond

// server accepts connections and serves each in its own goroutine.
type server struct {
	cfg    *Config
	set    receiver.Settings
	logger *zap.Logger
	// One of them may be nil if the receiver is in no pipeline of that signal.
	nextLogs    consumer.Logs
	nextMetrics consumer.Metrics
	obs         *receiverhelper.ObsReport
	telemetry   *metadata.TelemetryBuilder
	log         *logutil.Limiter
	letters     *deadletter.Writer // nil: dead_letter::directory is not set
	admission   *receiverutil.Admission
	tls         *tls.Config

	listener  net.Listener
	ctx       context.Context // parent of all pipeline calls; canceled when the time of Shutdown is over
	cancel    context.CancelFunc
	accepting context.Context // canceled when Shutdown begins
	stop      context.CancelFunc
	running   sync.WaitGroup

	mu          sync.Mutex
	stopped     bool
	connections map[*connection]struct{}
}

func newServer(cfg *Config, set receiver.Settings) (*server, error) {
	obs, err := receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{
		ReceiverID: set.ID, Transport: string(cfg.NetAddr.Transport), LongLivedCtx: true, ReceiverCreateSettings: set,
	})
	if err != nil {
		return nil, err
	}
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	return &server{
		cfg: cfg, set: set, logger: set.Logger, obs: obs, telemetry: telemetry,
		log: logutil.NewLimiter(set.Logger), letters: deadletter.New(cfg.DeadLetter, component.KindReceiver, set.ID, set.Logger),
		admission:   receiverutil.NewAdmission(cfg.Limits),
		connections: map[*connection]struct{}{},
	}, nil
}

// Start listens on the endpoint. It returns an error for settings that would fail later.
func (s *server) Start(ctx context.Context, host component.Host) error {
	if s.cfg.TLS.HasValue() {
		config, err := s.cfg.TLS.Get().LoadTLSConfig(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", receiverutil.Key(s.set.ID, "tls"), err)
		}
		s.tls = config
	}
	if s.letters == nil {
		s.logger.Warn("Events that the pipeline rejects permanently are not acknowledged, and their senders repeat them without end: set dead_letter::directory",
			zap.String("key", receiverutil.Key(s.set.ID, "dead_letter::directory")))
	} else if err := s.letters.Prepare(); err != nil {
		return fmt.Errorf("%s: cannot write dead letters: %w", receiverutil.Key(s.set.ID, "dead_letter::directory"), err)
	}
	listener, err := s.cfg.NetAddr.Listen(ctx)
	if err != nil {
		return receiverutil.ListenError(s.set.ID, s.cfg.NetAddr.Endpoint, err)
	}
	s.listener = listener
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.accepting, s.stop = context.WithCancel(s.ctx)
	s.logger.Info("Waiting for clients", zap.Stringer("address", listener.Addr()), zap.Bool("tls", s.tls != nil))
	s.running.Go(func() { s.accept(listener, host) })
	return nil
}

// Shutdown stops accepting connections, waits until started windows end, ctx is done, or
// shutdown.Drain has passed, and closes all connections. Clients send unacknowledged events
// again. It may be called without Start.
func (s *server) Shutdown(ctx context.Context) error {
	if s.listener == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, shutdown.Drain)
	defer cancel()
	s.stop()
	err := s.listener.Close()
	if errors.Is(err, net.ErrClosed) {
		err = nil // the receiver reported the failure before
	}
	s.listener = nil
	s.mu.Lock()
	s.stopped = true
	s.mu.Unlock()
	s.each((*connection).drain)
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.running.Wait()
	}()
	select {
	case <-done:
	case <-ctx.Done():
		s.cancel()
		s.each((*connection).abort)
		select {
		case <-done:
		case <-time.After(receiverutil.LastGrace):
			err = errors.Join(err, fmt.Errorf("the pipeline still holds events of unfinished windows; they were not acknowledged: %w", ctx.Err()))
		}
	}
	s.cancel()
	s.telemetry.Shutdown()
	return err
}

func (s *server) each(do func(*connection)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.connections {
		do(c)
	}
}

// accept serves connections until Shutdown, or until the listener fails.
func (s *server) accept(listener net.Listener, host component.Host) {
	for {
		conn, err := listener.Accept()
		var temporary net.Error
		switch {
		case err == nil:
			s.running.Go(func() { s.serve(conn) })
		case s.accepting.Err() != nil:
			return
		case errors.As(err, &temporary) && temporary.Temporary(): //nolint:staticcheck // net/http detects temporary errors in the same way
			s.log.Error("accept", 1, "Cannot accept a connection; trying again. If files ran out, raise the limit of open files", zap.Error(err))
			select {
			case <-s.accepting.Done():
			case <-time.After(acceptPause):
			}
		default:
			receiverutil.ReportFailure(host, s.logger, err)
			return
		}
	}
}

// serve serves a connection until it ends, or closes it if there are too many.
func (s *server) serve(conn net.Conn) {
	ticket, err := s.admission.Enter(s.accepting, receiverutil.Client(conn.RemoteAddr()))
	if err != nil {
		_ = conn.Close()
		s.turnedAway(conn.RemoteAddr(), err)
		return
	}
	defer ticket.Leave()
	c := newConnection(s, conn, ticket)
	s.mu.Lock()
	stopped := s.stopped
	if !stopped {
		s.connections[c] = struct{}{}
	}
	s.mu.Unlock()
	if stopped {
		_ = conn.Close()
		return
	}
	s.telemetry.ReceiverLumberjackConnections.Add(s.ctx, 1)
	c.run()
	s.mu.Lock()
	delete(s.connections, c)
	s.mu.Unlock()
	s.telemetry.ReceiverLumberjackConnections.Add(s.ctx, -1)
}

// turnedAway counts and logs a connection above a limit, unless the receiver is shutting down.
func (s *server) turnedAway(peer net.Addr, err error) {
	reason := reasonConnections
	switch {
	case errors.Is(err, receiverutil.ErrClient):
		reason = reasonClient
	case !errors.Is(err, receiverutil.ErrFull):
		return
	}
	s.failed(reason)
	s.log.Warn(reason, 1, "Connection rejected because a limit is reached; see limits", zap.Stringer("peer", peer), zap.String("reason", reason), zap.Error(err))
}

// failed counts a connection that was closed because of an error.
func (s *server) failed(reason string) {
	s.telemetry.ReceiverLumberjackErrors.Add(context.Background(), 1, metric.WithAttributes(attribute.String("reason", reason)))
}
