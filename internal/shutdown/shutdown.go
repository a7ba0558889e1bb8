// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package shutdown

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"
)

const (
	// Limit is the time for the shutdown of a process. Kubernetes kills a process after 30 s by
	// default.
	Limit = 10 * time.Second
	// Drain is the time in which a component waits for its clients or backend to finish
	// operations that have started.
	Drain = 2 * time.Second
)

// Watchdog ends the process if its shutdown takes longer than Limit. A component of the Collector
// may wait for a client or a backend without bound.
type Watchdog struct {
	Log  io.Writer
	Exit func(code int)
	once sync.Once
}

// Begin starts the timer at the first call. It does not block.
func (w *Watchdog) Begin() {
	w.once.Do(func() {
		time.AfterFunc(Limit, func() {
			_, _ = fmt.Fprintf(w.Log, "The shutdown did not end within %v, because a client or a backend did not answer: ending the process. "+
				"Requests that were not acknowledged are sent again by their senders, and queues on disk and the engine's state are kept.\n", Limit)
			w.Exit(1)
		})
	})
}

// Cutoff cancels work in progress when a component shuts down. The zero value is ready to use and
// must not be copied.
type Cutoff struct {
	once   sync.Once
	ctx    context.Context
	cancel context.CancelFunc
}

func (c *Cutoff) init() {
	c.once.Do(func() { c.ctx, c.cancel = context.WithCancel(context.Background()) })
}

// Context returns a context that Cancel and After also cancel. The caller must call cancel.
func (c *Cutoff) Context(parent context.Context) (_ context.Context, cancel context.CancelFunc) {
	c.init()
	ctx, end := context.WithCancel(parent)
	stop := context.AfterFunc(c.ctx, end)
	return ctx, func() {
		stop()
		end()
	}
}

// Cancel cancels all contexts that Context returned.
func (c *Cutoff) Cancel() {
	c.init()
	c.cancel()
}

// Canceled reports whether Cancel or After has canceled the contexts.
func (c *Cutoff) Canceled() bool {
	c.init()
	return c.ctx.Err() != nil
}

// After cancels all contexts that Context returned when patience has passed, unless the returned
// function is called earlier.
func (c *Cutoff) After(patience time.Duration) (ended func()) {
	c.init()
	timer := time.AfterFunc(patience, c.cancel)
	return func() { timer.Stop() }
}
