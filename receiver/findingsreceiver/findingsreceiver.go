// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package findingsreceiver

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.uber.org/zap"

	"github.com/auspex-otel/auspex/internal/engine"
	"github.com/auspex-otel/auspex/internal/tap"
)

// eventInterval is the interval at which the engine is asked for new events.
const eventInterval = time.Second

// sender sends the pending findings of one signal once. Findings that the consumer rejects stay
// pending.
type sender interface {
	send(ctx context.Context) error
}

// loop is the receiver of one signal. It sends at an interval until it or the engine shuts down.
type loop struct {
	id       component.ID
	signal   string
	interval time.Duration
	logger   *zap.Logger
	obs      *receiverhelper.ObsReport
	sender   sender
	engine   *engine.Engine
	tap      *tap.Point
	release  func()
	stop     context.CancelFunc
	done     chan struct{}
}

func newLoop(set receiver.Settings, signal string, interval time.Duration, with func(*loop) sender) (*loop, error) {
	obs, err := receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{ReceiverID: set.ID, Transport: "engine", ReceiverCreateSettings: set})
	if err != nil {
		return nil, err
	}
	l := &loop{id: set.ID, signal: signal, interval: interval, logger: set.Logger, obs: obs}
	l.sender = with(l)
	return l, nil
}

// Start gets the engine and reserves its findings of this signal.
func (l *loop) Start(_ context.Context, host component.Host) error {
	e, err := engine.Find(host, l.logger)
	if err != nil {
		return err
	}
	if l.release, err = e.Claim(l.signal); err != nil {
		return fmt.Errorf("findings of signal %s: %w", l.signal, err)
	}
	l.engine, l.tap = e, tap.Find(host, component.KindReceiver, l.id, l.signal)
	ctx, stop := context.WithCancel(context.Background())
	l.stop, l.done = stop, make(chan struct{})
	go l.run(ctx)
	return nil
}

// Shutdown stops sending and cancels a delivery in progress. It sends nothing, because an
// exporter that several pipelines share may have stopped already. Undelivered findings remain in
// the engine's state.
func (l *loop) Shutdown(context.Context) error {
	if l.stop == nil {
		return nil
	}
	l.stop()
	<-l.done
	l.stop = nil
	l.release()
	return nil
}

func (l *loop) run(ctx context.Context) {
	defer close(l.done)
	t := time.NewTicker(l.interval)
	defer t.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		err := l.deliver(ctx)
		if err != nil && !failing {
			l.logger.Error("Cannot deliver findings to the pipeline; they are kept and sent again at the next interval", zap.String("signal", l.signal), zap.Error(err))
		}
		failing = err != nil
	}
}

// deliver sends once, unless the engine is shutting down.
func (l *loop) deliver(ctx context.Context) error {
	ctx, leave, ok := l.engine.Outlet().Enter(ctx)
	if !ok {
		return nil
	}
	defer leave()
	if err := l.sender.send(ctx); ctx.Err() == nil {
		return err
	}
	return nil
}
