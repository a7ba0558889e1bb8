// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package door

import (
	"errors"
	"net"
	"sync"
)

var (
	// ErrFull means that all slots are taken.
	ErrFull = errors.New("there are too many at once")
	// ErrClient means that the client has as many slots as one may have.
	ErrClient = errors.New("this client has too many at once")
)

// Slots are places, of which one client may have a part only. It remembers the
// clients that have one, and no other.
type Slots struct {
	total, each int

	mu    sync.Mutex
	taken int
	by    map[string]int
}

// NewSlots returns total slots, of which one client gets each at most.
func NewSlots(total, each int) *Slots {
	return &Slots{total: total, each: each, by: map[string]int{}}
}

// Take gives a client a slot until release is called, or an error at once: ErrClient or ErrFull.
func (s *Slots) Take(client string) (release func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.by[client] >= s.each:
		return nil, ErrClient
	case s.taken >= s.total:
		return nil, ErrFull
	}
	s.taken++
	s.by[client]++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.taken--
		if s.by[client]--; s.by[client] == 0 {
			delete(s.by, client)
		}
	}, nil
}

// Client names the client behind an address: its host, whatever the port.
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
