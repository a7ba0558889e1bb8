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
	"syscall"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/auspex-otel/auspex/internal/door"
	"github.com/auspex-otel/auspex/receiver/lumberjackreceiver/internal/metadata"
)

const (
	acceptPause = 100 * time.Millisecond // after a connection could not be accepted, as when files run out
	lastGrace   = time.Second            // for the pipeline to return after Shutdown's time is over
)

// server accepts connections and serves each on a goroutine of its own.
type server struct {
	cfg    *Config
	set    receiver.Settings
	logger *zap.Logger
	// One of them may be nil: the receiver is in no pipeline of that signal.
	nextLogs    consumer.Logs
	nextMetrics consumer.Metrics
	obs         *receiverhelper.ObsReport
	telemetry   *metadata.TelemetryBuilder
	letters     deadLetters
	slots       *door.Slots
	tls         *tls.Config

	listener net.Listener
	ctx      context.Context // of everything given to the pipeline; cancelled when Shutdown's time is over
	cancel   context.CancelFunc
	stopping chan struct{}
	running  sync.WaitGroup

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
		letters: newDeadLetters(cfg.DeadLetter, set.ID), slots: door.NewSlots(cfg.MaxConnections, cfg.MaxConnectionsPerClient),
		connections: map[*connection]struct{}{},
	}, nil
}

// Start listens. What would fail later for a wrong setting fails here.
func (s *server) Start(ctx context.Context, _ component.Host) error {
	if s.cfg.TLS.HasValue() {
		config, err := s.cfg.TLS.Get().LoadTLSConfig(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", s.key("tls"), err)
		}
		s.tls = config
	}
	if err := s.letters.prepare(); err != nil {
		return fmt.Errorf("%s: dead letters cannot be written: %w", s.key("dead_letter::directory"), err)
	}
	listener, err := s.cfg.NetAddr.Listen(ctx)
	if err != nil {
		return s.listenError(err)
	}
	s.listener, s.stopping = listener, make(chan struct{})
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.logger.Info("waiting for senders", zap.Stringer("address", listener.Addr()), zap.Bool("tls", s.tls != nil))
	if s.letters.file == nil {
		s.logger.Warn("events that the pipeline refuses for good are not acknowledged, so their sender sends them for ever: set a folder for them",
			zap.String("key", s.key("dead_letter::directory")))
	}
	s.running.Go(func() { s.accept(listener) })
	return nil
}

// Shutdown accepts no more, lets every window that has begun end for as long as
// ctx permits, and closes. What was not acknowledged is sent again by its
// sender, to whoever comes next. It may be called without Start.
func (s *server) Shutdown(ctx context.Context) error {
	if s.listener == nil {
		return nil
	}
	close(s.stopping)
	err := s.listener.Close()
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
		case <-time.After(lastGrace):
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

func (s *server) accept(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err == nil {
			s.serve(conn)
			continue
		}
		if errors.Is(err, net.ErrClosed) {
			return
		}
		s.logger.Error("a connection could not be accepted, trying again", zap.Error(err))
		select {
		case <-s.stopping:
			return
		case <-time.After(acceptPause):
		}
	}
}

// serve gives a connection its goroutine, or closes it if there are too many.
func (s *server) serve(conn net.Conn) {
	c := newConnection(s, conn)
	release, err := s.slots.Take(door.Client(conn.RemoteAddr()))
	if err != nil {
		s.tooMany(c, err)
		_ = conn.Close()
		return
	}
	s.mu.Lock()
	stopped := s.stopped
	if !stopped {
		s.connections[c] = struct{}{}
	}
	s.mu.Unlock()
	if stopped {
		release()
		_ = conn.Close()
		return
	}
	s.telemetry.ReceiverLumberjackConnections.Add(s.ctx, 1)
	s.running.Go(func() {
		c.run()
		s.mu.Lock()
		delete(s.connections, c)
		s.mu.Unlock()
		release()
		s.telemetry.ReceiverLumberjackConnections.Add(s.ctx, -1)
	})
}

// tooMany says which limit a connection was one too many for.
func (s *server) tooMany(c *connection, err error) {
	if errors.Is(err, door.ErrClient) {
		s.failed(reasonClient)
		s.logger.Warn("connection refused: this client has too many, see max_connections_per_client", zap.String("peer", c.peer),
			zap.Int("max_connections_per_client", s.cfg.MaxConnectionsPerClient))
		return
	}
	s.failed(reasonConnections)
	s.logger.Warn("connection refused: there are too many, see max_connections", zap.String("peer", c.peer), zap.Int("max_connections", s.cfg.MaxConnections))
}

// failed counts a connection that was closed for an error.
func (s *server) failed(reason string) {
	s.telemetry.ReceiverLumberjackErrors.Add(context.Background(), 1, metric.WithAttributes(attribute.String("reason", reason)))
}

// key is the place of a setting in the collector's configuration.
func (s *server) key(name string) string { return "receivers::" + s.set.ID.String() + "::" + name }

func (s *server) listenError(err error) error {
	endpoint := s.cfg.NetAddr.Endpoint
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%s: cannot listen on %s, another program does: end that program, or set another endpoint: %w", s.key("endpoint"), endpoint, err)
	}
	return fmt.Errorf("%s: cannot listen on %s: set an address of this machine that is free: %w", s.key("endpoint"), endpoint, err)
}
