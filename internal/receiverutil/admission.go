// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package receiverutil

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

var (
	// ErrFull means that all clients together have reached limits::concurrency.
	ErrFull = errors.New("too many clients at once, see limits::concurrency")
	// ErrClient means that one client has reached limits::concurrency_per_client.
	ErrClient = errors.New("too much at once from this client, see limits::concurrency_per_client")
)

// waitersPerPlace is the number of waiters that are allowed for each place.
const waitersPerPlace = 8

// Admission bounds what a receiver does and holds in memory at once, for all its
// clients together and for each of them. A client first waits for one of its own places and then
// for one of all, so a client with many requests cannot delay the others. The
// state is bounded: only clients with a place or a waiter are remembered.
type Admission struct {
	places    chan struct{}
	perClient int
	wait      time.Duration
	memory    *Memory

	mu      sync.Mutex
	here    int // tickets and waiters of all clients
	clients map[string]*lane
}

// lane holds the places of one client.
type lane struct {
	places chan struct{}
	here   int // tickets and waiters of the client
}

// Ticket is the permission to use the receiver. Leave returns it, with its memory.
type Ticket struct {
	Reservation

	admission *Admission
	client    string
	lane      *lane
}

// NewAdmission returns the admission of one receiver. All its connections share it.
func NewAdmission(l Limits) *Admission {
	return &Admission{
		places: make(chan struct{}, l.Concurrency), perClient: l.ConcurrencyPerClient, wait: l.Wait,
		memory: NewMemory(l.MemoryBytes), clients: map[string]*lane{},
	}
}

// Enter returns a ticket, after limits::wait at the latest. Otherwise it returns
// ErrClient, ErrFull, or the cause of the end of ctx.
func (a *Admission) Enter(ctx context.Context, client string) (*Ticket, error) {
	l, err := a.join(client)
	if err != nil {
		return nil, err
	}
	expired := a.timer()
	if err := take(ctx, l.places, expired, ErrClient); err != nil {
		a.part(client, l)
		return nil, err
	}
	if err := take(ctx, a.places, expired, ErrFull); err != nil {
		<-l.places
		a.part(client, l)
		return nil, err
	}
	return &Ticket{Reservation: a.memory.Reservation(), admission: a, client: client, lane: l}, nil
}

// Leave returns the ticket.
func (t *Ticket) Leave() {
	t.ReleaseAll()
	<-t.admission.places
	<-t.lane.places
	t.admission.part(t.client, t.lane)
}

// timer returns a channel that is ready after the wait, or nil without a wait.
func (a *Admission) timer() <-chan time.Time {
	if a.wait <= 0 {
		return nil
	}
	return time.After(a.wait)
}

// take takes a place. It waits until expired is ready, and not at all if expired is nil.
func take(ctx context.Context, places chan<- struct{}, expired <-chan time.Time, full error) error {
	select {
	case places <- struct{}{}:
		return nil
	default:
	}
	if expired == nil {
		return full
	}
	select {
	case places <- struct{}{}:
		return nil
	case <-expired:
		return full
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// join adds a client, unless too many are waiting.
func (a *Admission) join(client string) (*lane, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	l := a.clients[client]
	switch {
	case l != nil && l.here >= a.perClient*(1+waitersPerPlace):
		return nil, ErrClient
	case a.here >= cap(a.places)*(1+waitersPerPlace):
		return nil, ErrFull
	case l == nil:
		l = &lane{places: make(chan struct{}, a.perClient)}
		a.clients[client] = l
	}
	a.here++
	l.here++
	return l, nil
}

func (a *Admission) part(client string, l *lane) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.here--
	if l.here--; l.here == 0 {
		delete(a.clients, client)
	}
}

// Client returns the identity of the client behind an address: its host without
// the port. All clients behind one proxy, or of one socket, are one client.
func Client(addr net.Addr) string {
	if addr == nil {
		return ""
	}
	host, _, err := net.SplitHostPort(addr.String())
	if err != nil {
		return addr.String()
	}
	return host
}
