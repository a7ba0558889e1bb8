// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package outlet

import (
	"context"
	"sync"
	"time"
)

// Gate admits deliveries until it is closed. Pipelines that share an exporter are
// not shut down together, so a delivery during shutdown could reach an exporter
// that has already stopped. The zero value is open.
type Gate struct {
	mu       sync.Mutex
	closed   bool
	next     int
	cancel   map[int]context.CancelFunc // of the deliveries that are running
	finished chan struct{}              // closed when the gate is closed and no delivery is running
}

// Enter admits one delivery. Its context is canceled when the gate closes, and
// leave must be called when the delivery has ended. It returns false if the gate is closed.
func (g *Gate) Enter(ctx context.Context) (_ context.Context, leave func(), ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return ctx, func() {}, false
	}
	if g.cancel == nil {
		g.cancel, g.finished = map[int]context.CancelFunc{}, make(chan struct{})
	}
	ctx, cancel := context.WithCancel(ctx)
	id := g.next
	g.next++
	g.cancel[id] = cancel
	return ctx, func() { g.leave(id) }, true
}

func (g *Gate) leave(id int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	cancel, running := g.cancel[id]
	if !running {
		return
	}
	cancel()
	delete(g.cancel, id)
	if g.closed && len(g.cancel) == 0 {
		close(g.finished)
	}
}

// Close admits no more deliveries, cancels those that are running, and waits for
// them. It returns false if one of them did not end in time.
func (g *Gate) Close(patience time.Duration) bool {
	g.mu.Lock()
	g.closed = true
	for _, cancel := range g.cancel {
		cancel()
	}
	running, finished := len(g.cancel), g.finished
	g.mu.Unlock()
	if running == 0 {
		return true
	}
	select {
	case <-finished:
		return true
	case <-time.After(patience):
		return false
	}
}
