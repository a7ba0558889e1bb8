// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package receiverutil

import (
	"bytes"
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

// memoryStep is the unit in which a ticket takes memory from the receiver's, so that
// most calls of Reserve only count. A ticket always gets the first step.
const memoryStep = 32 << 10

// memory is what all tickets of a receiver may hold together. A ticket may hold
// at most as much as is free, so a few large ones never leave nothing for others.
// (Choudhury and Hahne, Dynamic queue length thresholds for shared-memory packet
// switches, 1998, with α = 1.)
type memory struct {
	mu          sync.Mutex
	total, used int
}

// take takes n more bytes for a ticket that holds some already.
func (m *memory) take(held, n int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case held+n <= memoryStep:
	case held+n > m.total/2:
		return ErrTooLarge
	case held+n > m.total-m.used-n:
		return ErrMemory
	}
	m.used += n
	return nil
}

func (m *memory) put(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.used -= n
}

// Reserve adds n bytes to what the ticket's owner holds in memory. It returns
// ErrMemory or ErrTooLarge if it may not; then nothing changes. Reserve, Release,
// and Leave are for one goroutine at a time.
func (t *Ticket) Reserve(n int) error {
	if missing := t.used + n - t.held; missing > 0 {
		missing = (missing + memoryStep - 1) / memoryStep * memoryStep
		if err := t.admission.memory.take(t.held, missing); err != nil {
			return err
		}
		t.held += missing
	}
	t.used += n
	return nil
}

// Release returns n bytes that were reserved.
func (t *Ticket) Release(n int) {
	t.used -= n
	if spare := (t.held - t.used) / memoryStep * memoryStep; spare > 0 {
		t.admission.memory.put(spare)
		t.held -= spare
	}
}

// ReleaseAll returns all bytes that were reserved.
func (t *Ticket) ReleaseAll() {
	t.admission.memory.put(t.held)
	t.used, t.held = 0, 0
}

// ReadAll appends a body to a buffer. It reserves memory for what came, twice
// because buffers double when they grow, before it reads more.
func (t *Ticket) ReadAll(to *bytes.Buffer, body io.Reader) error {
	for {
		n, err := io.CopyN(to, body, memoryStep)
		if errors.Is(err, io.EOF) {
			err = nil
			if n == 0 {
				return nil
			}
		}
		if err == nil {
			err = t.Reserve(2 * int(n))
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
