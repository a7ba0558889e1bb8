// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package receiverutil

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
)

var (
	// ErrMemory means that others use the memory that is needed. It may be free later.
	ErrMemory = errors.New("too much data is being received at once, see limits::memory_bytes")
	// ErrTooLarge means that one connection or request needs more memory than it may ever have.
	ErrTooLarge = errors.New("more than half of the memory for all clients, see limits::memory_bytes")
)

// memoryStep is the unit in which a reservation takes memory, so that most calls of
// Reserve only count. A reservation always gets the first step.
const memoryStep = 32 << 10

// Memory is a budget of bytes that several clients share. A reservation may hold at most
// as much as is free, so that a few large ones cannot take all of it (Choudhury and Hahne,
// Dynamic queue length thresholds for shared-memory packet switches, 1998, with α = 1).
type Memory struct {
	mu          sync.Mutex
	total, used int
	freed       chan struct{} // closed when memory is returned; nil while no caller waits
	turns       turns
}

// NewMemory returns a budget of total bytes.
func NewMemory(total int) *Memory { return &Memory{total: total, turns: newTurns()} }

// take takes n more bytes for a reservation that holds some already. If they are
// not free, it returns a channel that is closed when memory is returned.
func (m *Memory) take(held, n int) (freed <-chan struct{}, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case held+n <= memoryStep:
	case held+n > m.total/2:
		return nil, ErrTooLarge
	case held+n > m.total-m.used-n:
		if m.freed == nil {
			m.freed = make(chan struct{})
		}
		return m.freed, ErrMemory
	}
	m.used += n
	return nil, nil
}

func (m *Memory) put(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.used -= n
	if m.freed != nil && n > 0 {
		close(m.freed)
		m.freed = nil
	}
}

// Reservation is the part of a Memory that one client holds. It is not safe for concurrent use.
type Reservation struct {
	memory     *Memory
	used, held int // bytes that were reserved, and that were taken for them
}

// Reservation returns a reservation of nothing.
func (m *Memory) Reservation() Reservation { return Reservation{memory: m} }

// Reserve adds n bytes to the reservation. It returns ErrMemory or ErrTooLarge if
// they are not available; then nothing changes.
func (r *Reservation) Reserve(n int) error {
	_, err := r.reserve(n)
	return err
}

// ReserveWithin is Reserve, but waits until the bytes are free or ctx ends. A small
// reservation does not wait behind a large one.
func (r *Reservation) ReserveWithin(ctx context.Context, n int) error {
	for {
		freed, err := r.reserve(n)
		if !errors.Is(err, ErrMemory) {
			return err
		}
		select {
		case <-freed:
		case <-ctx.Done():
			return err
		}
	}
}

func (r *Reservation) reserve(n int) (freed <-chan struct{}, err error) {
	if missing := r.used + n - r.held; missing > 0 {
		missing = (missing + memoryStep - 1) / memoryStep * memoryStep
		if freed, err = r.memory.take(r.held, missing); err != nil {
			return freed, err
		}
		r.held += missing
	}
	r.used += n
	return nil, nil
}

// Release returns n bytes that were reserved.
func (r *Reservation) Release(n int) {
	r.used -= n
	if spare := (r.held - r.used) / memoryStep * memoryStep; spare > 0 {
		r.memory.put(spare)
		r.held -= spare
	}
}

// ReleaseAll returns all bytes that were reserved.
func (r *Reservation) ReleaseAll() {
	r.memory.put(r.held)
	r.used, r.held = 0, 0
}

// ReadAll appends a body to a buffer. It reserves memory for each chunk, twice
// because buffers double when they grow, before it reads the next one.
func (r *Reservation) ReadAll(to *bytes.Buffer, body io.Reader) error {
	for {
		n, err := r.memory.turns.readChunk(to, body)
		if errors.Is(err, io.EOF) {
			err = nil
			if n == 0 {
				return nil
			}
		}
		if err == nil {
			err = r.Reserve(2 * int(n))
		}
		if err != nil || n < memoryStep {
			return err
		}
	}
}

// CheckMemory returns an error if the largest request, or item of one, that the
// other limits allow needs more than half of limits::memory_bytes: it could never be accepted.
func (l Limits) CheckMemory(largest int) error {
	if l.MemoryBytes >= 1 && l.MemoryBytes/2 < largest {
		return fmt.Errorf("limits::memory_bytes: is %d, the other limits allow data that needs %d: set at least %d, or lower them", l.MemoryBytes, largest, 2*largest)
	}
	return nil
}
