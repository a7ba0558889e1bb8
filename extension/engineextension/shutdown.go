// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engineextension

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"
)

// The collector exits after ten seconds of shutdown, see internal/shutdown. These limits leave
// enough time for receivers and exporters.
const (
	deliveryTime = time.Second     // for a delivery of findings to end
	firstTime    = 5 * time.Second // time that receivers wait for the first snapshot
	lastTime     = 7 * time.Second // time from the start of the shutdown after which no snapshot begins
)

// Ready does nothing.
func (e *engineExtension) Ready() error { return nil }

// NotReady ends the delivery of findings and writes a snapshot. The collector calls it before
// receivers stop, so the state is safe even if a client or a backend delays the shutdown until
// the process is killed.
func (e *engineExtension) NotReady() error {
	e.stopping = time.Now()
	if !e.engine.Outlet().Close(deliveryTime) {
		e.logger.Warn("A delivery of findings did not end in time; the findings are sent again after the next start")
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
		e.logger.Warn("The snapshot is not complete and is written while receivers stop; the state is large or the disk is slow", zap.Duration("after", firstTime))
	}
	return nil
}

// firstSnapshot writes a snapshot and closes first.
func (e *engineExtension) firstSnapshot() {
	defer close(e.first)
	ctx, cancel := context.WithDeadline(context.Background(), e.stopping.Add(lastTime))
	defer cancel()
	if err := e.snapshot(ctx, time.Now()); err != nil {
		e.logger.Error("Cannot write the snapshot at shutdown; the previous snapshot remains. Check the disk of the storage extension", zap.Error(err))
	}
	e.writing = time.Since(e.stopping)
}

// Shutdown stops the clock and writes another snapshot, unless that would take longer than the
// remaining time.
func (e *engineExtension) Shutdown(ctx context.Context) error {
	e.stopClock()
	if e.forget != nil {
		e.forget.Stop()
	}
	var err error
	if e.registration != nil {
		err = e.registration.Unregister()
	}
	if e.schedule != nil {
		err = errors.Join(err, e.schedule.close())
	}
	if e.client != nil {
		err = errors.Join(err, e.lastSnapshot(ctx), e.client.Close(ctx))
	}
	e.telemetry.Shutdown()
	return err
}

// stopClock ends the goroutine that ticks and writes snapshots. It may be called without Start.
func (e *engineExtension) stopClock() {
	if e.stop != nil {
		e.stop()
		<-e.done
	}
}

func (e *engineExtension) lastSnapshot(ctx context.Context) error {
	if e.first == nil {
		return e.snapshot(ctx, time.Now()) // NotReady was not called
	}
	<-e.first
	end := e.stopping.Add(lastTime)
	if left := time.Until(end); left <= 0 || left < e.writing {
		e.logger.Warn("No time remains to write another snapshot; the state lacks the telemetry of the last seconds",
			zap.Duration("since", time.Since(e.stopping)))
		return nil
	}
	ctx, cancel := context.WithDeadline(ctx, end)
	defer cancel()
	return e.snapshot(ctx, time.Now())
}
