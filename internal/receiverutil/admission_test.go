// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package receiverutil

import (
	"context"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOneClientLeavesRoomForOthers(t *testing.T) {
	a := NewAdmission(Limits{Concurrency: 3, ConcurrencyPerClient: 2})
	enter := func(client string) *Ticket {
		t.Helper()
		ticket, err := a.Enter(t.Context(), client)
		require.NoError(t, err)
		return ticket
	}
	refused := func(client string, want error) {
		t.Helper()
		_, err := a.Enter(t.Context(), client)
		require.ErrorIs(t, err, want)
	}
	first, second := enter("a"), enter("a")
	refused("a", ErrClient)
	other := enter("b")
	refused("c", ErrFull)
	other.Leave()
	first.Leave()
	third, fourth := enter("a"), enter("c")
	for _, ticket := range []*Ticket{second, third, fourth} {
		ticket.Leave()
	}
	assert.Empty(t, a.clients, "clients without a ticket are forgotten")
	assert.Zero(t, a.here)
	assert.Empty(t, a.places)
}

func TestWaitForAPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := NewAdmission(Limits{Concurrency: 2, ConcurrencyPerClient: 1, Wait: 10 * time.Second})
		ticket, err := a.Enter(t.Context(), "a")
		require.NoError(t, err)
		time.AfterFunc(9*time.Second, ticket.Leave)
		began := time.Now()
		ticket, err = a.Enter(t.Context(), "a")
		require.NoError(t, err)
		assert.Equal(t, 9*time.Second, time.Since(began))

		_, err = a.Enter(t.Context(), "a")
		require.ErrorIs(t, err, ErrClient)
		assert.Equal(t, 19*time.Second, time.Since(began))

		other, err := a.Enter(t.Context(), "b")
		require.NoError(t, err)
		_, err = a.Enter(t.Context(), "c")
		require.ErrorIs(t, err, ErrFull)

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = a.Enter(ctx, "c")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		ticket.Leave()
		other.Leave()
		assert.Empty(t, a.clients)
	})
}

func TestWaitersAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := NewAdmission(Limits{Concurrency: 2, ConcurrencyPerClient: 1, Wait: time.Hour})
		refusals := map[error]int{}
		var mu sync.Mutex
		for _, client := range []string{"a", "b", "c"} {
			for range 20 {
				go func() {
					if _, err := a.Enter(t.Context(), client); err != nil {
						mu.Lock()
						defer mu.Unlock()
						refusals[err]++
					}
				}()
			}
			synctest.Wait()
		}
		a.mu.Lock()
		assert.Equal(t, 2*(1+waitersPerPlace), a.here)
		a.mu.Unlock()
		mu.Lock()
		assert.Equal(t, map[error]int{ErrClient: 22, ErrFull: 20}, refusals)
		mu.Unlock()
		time.Sleep(time.Hour)
		synctest.Wait()
	})
}

// TestAdmissionUnderLoad verifies that the limits hold for any number of clients, and that all leave.
func TestAdmissionUnderLoad(t *testing.T) {
	const all, each = 5, 2
	a := NewAdmission(Limits{Concurrency: all, ConcurrencyPerClient: each, Wait: time.Minute})
	var mu sync.Mutex
	inside, perClient, most := 0, map[string]int{}, 0
	var wait sync.WaitGroup
	for i := range 40 {
		client := string(rune('a' + i%8))
		wait.Go(func() {
			ticket, err := a.Enter(t.Context(), client)
			if !assert.NoError(t, err) {
				return
			}
			mu.Lock()
			inside++
			perClient[client]++
			most = max(most, inside)
			assert.LessOrEqual(t, inside, all)
			assert.LessOrEqual(t, perClient[client], each)
			mu.Unlock()
			time.Sleep(time.Millisecond)
			mu.Lock()
			inside--
			perClient[client]--
			mu.Unlock()
			ticket.Leave()
		})
	}
	wait.Wait()
	assert.Equal(t, all, most)
	assert.Empty(t, a.clients)
	assert.Empty(t, a.places)
}

func TestClient(t *testing.T) {
	assert.Equal(t, "10.0.0.1", Client(&net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 9}))
	assert.Equal(t, "::1", Client(&net.TCPAddr{IP: net.IPv6loopback, Port: 9}))
	assert.Equal(t, "/run/s", Client(&net.UnixAddr{Name: "/run/s"}))
	assert.Empty(t, Client(nil))
}
