// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package prometheusremotewritereceiver

import (
	"context"
	"errors"
	"sync"
	"time"
)

// errBusy says that a request found no turn.
var errBusy = errors.New("too many requests at once")

// waitingPerPlace is how many requests of a client may wait for each that is worked on.
const waitingPerPlace = 8

// gate lets so many requests in at once, and so many of one client. A client
// waits in a lane of its own before it waits with others, so that one with many
// requests takes no more turns than its places.
type gate struct {
	places    chan struct{}
	perClient int
	patience  time.Duration

	mu    sync.Mutex
	lanes map[string]*lane // of the clients that are here now
}

type lane struct {
	places chan struct{}
	here   int // worked on and waiting
}

func newGate(all, perClient int, patience time.Duration) *gate {
	return &gate{places: make(chan struct{}, all), perClient: min(perClient, all), patience: patience, lanes: map[string]*lane{}}
}

// enter waits for a turn. Who got one must leave.
func (g *gate) enter(ctx context.Context, client string) (leave func(), err error) {
	l := g.lane(client)
	if l == nil {
		return nil, errBusy
	}
	timer := time.NewTimer(g.patience)
	defer timer.Stop()
	for i, places := range [...]chan struct{}{l.places, g.places} {
		select {
		case places <- struct{}{}:
			continue
		case <-timer.C:
			err = errBusy
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
		if i > 0 {
			<-l.places
		}
		g.forget(client, l)
		return nil, err
	}
	return func() {
		<-g.places
		<-l.places
		g.forget(client, l)
	}, nil
}

// lane is that of a client, nil if too many wait in it.
func (g *gate) lane(client string) *lane {
	g.mu.Lock()
	defer g.mu.Unlock()
	l := g.lanes[client]
	if l == nil {
		l = &lane{places: make(chan struct{}, g.perClient)}
		g.lanes[client] = l
	}
	if l.here >= g.perClient*(1+waitingPerPlace) {
		return nil
	}
	l.here++
	return l
}

func (g *gate) forget(client string, l *lane) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if l.here--; l.here == 0 {
		delete(g.lanes, client)
	}
}
