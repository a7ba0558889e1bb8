// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package outlet

import (
	"context"
	"sync"
	"time"

	"github.com/auspex-otel/auspex/internal/shutdown"
)

// Gate admits deliveries until it is closed. Pipelines that share an exporter are not shut down together, so a
// delivery during shutdown could reach an exporter that has already stopped. The zero value is open.
type Gate struct {
	mu       sync.Mutex
	closed   bool
	running  int             // deliveries
	finished chan struct{}   // created by Close, and closed when no delivery is running
	cutoff   shutdown.Cutoff // of deliveries
}

// Enter admits one delivery. Its context is canceled when the gate closes. The caller must call leave when the
// delivery has ended. It returns false if the gate is closed.
func (g *Gate) Enter(ctx context.Context) (_ context.Context, leave func(), ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return ctx, func() {}, false
	}
	g.running++
	ctx, cancel := g.cutoff.Context(ctx)
	return ctx, sync.OnceFunc(func() {
		cancel()
		g.leave()
	}), true
}

func (g *Gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.running--; g.closed && g.running == 0 {
		close(g.finished)
	}
}

// Close rejects new deliveries, cancels those that are running, and waits for them. It returns false if one of them
// did not end in time.
func (g *Gate) Close(patience time.Duration) bool {
	g.mu.Lock()
	if !g.closed {
		g.closed, g.finished = true, make(chan struct{})
	}
	running := g.running
	g.mu.Unlock()
	g.cutoff.Cancel()
	if running == 0 {
		return true
	}
	select {
	case <-g.finished:
		return true
	case <-time.After(patience):
		return false
	}
}
