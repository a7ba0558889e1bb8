// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package receiverutil

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const mebibyte = 1 << 20

func tickets(t *testing.T, a *Admission, n int) (all []*Ticket) {
	t.Helper()
	for range n {
		ticket, err := a.Enter(t.Context(), "a")
		require.NoError(t, err)
		all = append(all, ticket)
	}
	return all
}

func TestLargeTicketsLeaveMemoryForOthers(t *testing.T) {
	a := NewAdmission(Limits{Concurrency: 200, ConcurrencyPerClient: 200, MemoryBytes: 128 * mebibyte})
	for _, greedy := range tickets(t, a, 100) {
		for greedy.Reserve(mebibyte) == nil {
		}
	}
	assert.LessOrEqual(t, a.memory.used, a.memory.total)
	for _, modest := range tickets(t, a, 3) {
		require.NoError(t, modest.Reserve(100_000))
	}
}

func TestReserveWithin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewMemory(10 * mebibyte)
		first, large, small := m.Reservation(), m.Reservation(), m.Reservation()
		require.NoError(t, first.Reserve(4*mebibyte))
		admitted := make(chan error)
		go func() { admitted <- large.ReserveWithin(t.Context(), 4*mebibyte) }()
		synctest.Wait()
		require.NoError(t, small.ReserveWithin(t.Context(), mebibyte), "a small one does not wait behind a large one")
		first.Release(2 * mebibyte)
		synctest.Wait()
		assert.Empty(t, admitted, "there is still too little")
		first.ReleaseAll()
		require.NoError(t, <-admitted)

		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.ErrorIs(t, first.ReserveWithin(ctx, 4*mebibyte), ErrMemory)
		require.ErrorIs(t, first.ReserveWithin(t.Context(), 6*mebibyte), ErrTooLarge, "it does not wait for what it may never have")
	})
}

func TestMemoryIsReturned(t *testing.T) {
	a := NewAdmission(Limits{Concurrency: 2, ConcurrencyPerClient: 2, MemoryBytes: 10 * mebibyte})
	both := tickets(t, a, 2)
	require.ErrorIs(t, both[0].Reserve(5*mebibyte+1), ErrTooLarge)
	require.NoError(t, both[0].Reserve(5*mebibyte))
	require.ErrorIs(t, both[1].Reserve(4*mebibyte), ErrMemory)
	both[0].Release(2 * mebibyte)
	require.NoError(t, both[1].Reserve(3*mebibyte))
	both[1].Release(3 * mebibyte)
	require.NoError(t, both[1].Reserve(1))
	both[0].Leave()
	both[1].Leave()
	assert.Zero(t, a.memory.used)
}

func TestSmallReservationsAreCounted(t *testing.T) {
	a := NewAdmission(Limits{Concurrency: 1, ConcurrencyPerClient: 1, MemoryBytes: 10 * mebibyte})
	ticket := tickets(t, a, 1)[0]
	for range 1000 {
		require.NoError(t, ticket.Reserve(1000))
	}
	assert.GreaterOrEqual(t, a.memory.used, 1_000_000)
	assert.Less(t, a.memory.used, 1_000_000+memoryStep)
	for range 1000 {
		ticket.Release(1000)
	}
	assert.Less(t, a.memory.used, memoryStep)
}

func TestFirstStepIsAlwaysGranted(t *testing.T) {
	a := NewAdmission(Limits{Concurrency: 9, ConcurrencyPerClient: 9, MemoryBytes: 4 * memoryStep})
	for _, ticket := range tickets(t, a, 9) {
		require.NoError(t, ticket.Reserve(memoryStep))
		require.Error(t, ticket.Reserve(2*memoryStep))
	}
}

func TestReadAll(t *testing.T) {
	for _, size := range []int{0, 1, memoryStep, memoryStep + 1, mebibyte} {
		a := NewAdmission(Limits{Concurrency: 1, ConcurrencyPerClient: 1, MemoryBytes: 10 * mebibyte})
		ticket := tickets(t, a, 1)[0]
		var b bytes.Buffer
		require.NoError(t, ticket.ReadAll(&b, iotest.HalfReader(strings.NewReader(strings.Repeat("x", size)))))
		assert.Equal(t, size, b.Len())
		assert.GreaterOrEqual(t, a.memory.used, 2*size)
	}
	a := NewAdmission(Limits{Concurrency: 1, ConcurrencyPerClient: 1, MemoryBytes: mebibyte})
	ticket := tickets(t, a, 1)[0]
	var b bytes.Buffer
	require.ErrorIs(t, ticket.ReadAll(&b, strings.NewReader(strings.Repeat("x", mebibyte))), ErrTooLarge)
	assert.Less(t, b.Len(), mebibyte/2)
	broken := errors.New("broken")
	require.ErrorIs(t, ticket.ReadAll(&b, iotest.ErrReader(broken)), broken)
}

func TestCheckMemory(t *testing.T) {
	require.NoError(t, Limits{MemoryBytes: 20}.CheckMemory(10))
	assert.EqualError(t, Limits{MemoryBytes: 19}.CheckMemory(10),
		"limits::memory_bytes: is 19, the other limits allow data that needs 10: set at least 20, or lower them")
	require.NoError(t, Limits{}.CheckMemory(10), "Check reports it")
}
