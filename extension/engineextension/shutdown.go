// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engineextension

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"
)

// The collector ends after ten seconds of shutdown, see internal/shutdown. These
// bounds leave the receivers and exporters between them enough time.
const (
	deliveryTime = time.Second     // for a delivery of findings to end
	firstTime    = 5 * time.Second // for which receivers wait for the first state
	lastTime     = 7 * time.Second // from the beginning of shutdown until no state is written any more
)

// Ready does nothing.
func (e *engineExtension) Ready() error { return nil }

// NotReady ends the delivery of findings and writes the state. The collector calls
// it before receivers stop, so the state is safe even if a client or a backend
// holds up the rest of the shutdown until the process is killed.
func (e *engineExtension) NotReady() error {
	e.stopping = time.Now()
	if !e.engine.Outlet().Close(deliveryTime) {
		e.logger.Warn("A delivery of findings did not end in time; these findings are sent again after the next start")
	}
	e.stopClock()
	if e.client == nil {
		return nil
	}
	e.first = make(chan struct{})
	go e.firstSnapshot()
	select {
	case <-e.first:
	case <-time.After(firstTime):
		e.logger.Warn("The state is still being written while receivers stop: there is much of it, or the disk is slow", zap.Duration("after", firstTime))
	}
	return nil
}

// firstSnapshot writes the state and closes first.
func (e *engineExtension) firstSnapshot() {
	defer close(e.first)
	ctx, cancel := context.WithDeadline(context.Background(), e.stopping.Add(lastTime))
	defer cancel()
	if err := e.snapshot(ctx, time.Now()); err != nil {
		e.logger.Error("The state could not be written; that of the last snapshot remains", zap.Error(err))
	}
	e.writing = time.Since(e.stopping)
}

// Shutdown stops the clock and writes the state once more, unless that would take
// longer than the time that is left.
func (e *engineExtension) Shutdown(ctx context.Context) error {
	e.stopClock()
	if e.forget != nil {
		e.forget.Stop()
	}
	var err error
	if e.registration != nil {
		err = e.registration.Unregister()
	}
	if e.client != nil {
		err = errors.Join(err, e.lastSnapshot(ctx), e.client.Close(ctx))
	}
	e.telemetry.Shutdown()
	return err
}

// stopClock ends the goroutine that ticks and writes the state. It may be called without Start.
func (e *engineExtension) stopClock() {
	if e.stop != nil {
		e.stop()
		<-e.done
	}
}

func (e *engineExtension) lastSnapshot(ctx context.Context) error {
	if e.first == nil {
		return e.snapshot(ctx, time.Now()) // NotReady was not called.
	}
	<-e.first
	end := e.stopping.Add(lastTime)
	if left := time.Until(end); left <= 0 || left < e.writing {
		e.logger.Warn("There is no time to write the state again: telemetry of the last seconds is not part of it",
			zap.Duration("since", time.Since(e.stopping)))
		return nil
	}
	ctx, cancel := context.WithDeadline(ctx, end)
	defer cancel()
	return e.snapshot(ctx, time.Now())
}
