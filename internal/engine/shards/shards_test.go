// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package shards

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestSetsShareAShardByTheirHash(t *testing.T) {
	for n := 1; n <= Most; n *= 2 {
		l := New(n)
		for hash := range uint64(3 * Most) {
			var one Set
			one.Add(hash)
			l.Lock(one)
			for i := range l.shards {
				free := l.shards[i].TryLock()
				assert.Equal(t, uint64(i) != hash%uint64(n), free, "shard %d of %d, hash %d", i, n, hash)
				if free {
					l.shards[i].Unlock()
				}
			}
			l.Unlock(one)
		}
		l.Lock(All)
		for i := range l.shards {
			assert.False(t, l.shards[i].TryLock())
		}
		l.Unlock(All)
		l.Lock(0)
	}
}

// held returns a lock that is held.
func held() sync.Locker {
	var mu sync.Mutex
	mu.Lock()
	return &mu
}

// counter counts how often it was done.
type counter struct{ done atomic.Int32 }

func (c *counter) Do() { c.done.Add(1) }

func TestWorkIsDoneOnce(t *testing.T) {
	for cores := 1; cores <= 4; cores++ {
		crew := NewCores(cores).Crew(3, held())
		works := make([]counter, 500)
		for i := range works {
			crew.Add(&works[i])
			if i%100 == 99 {
				crew.Finish()
				for k := range works {
					want := int32(0)
					if k <= i {
						want = 1
					}
					assert.Equal(t, want, works[k].done.Load())
				}
			}
		}
		crew.Release()
	}
}

// gate is work that waits until it is opened.
type gate struct{ begun, open chan struct{} }

func newGate() gate { return gate{make(chan struct{}, 1), make(chan struct{})} }

func (g gate) Do() {
	g.begun <- struct{}{}
	<-g.open
}

func TestHelpersUseFreeCores(t *testing.T) {
	c := NewCores(3)
	first, second, third := c.Crew(1, held()), c.Crew(5, held()), c.Crew(1, held())
	assert.Equal(t, []int{0, 5, 1}, []int{first.helpers, second.helpers, third.helpers}, "helpers to come: a batch needs no free core")
	first.Release()
	third.Release()
	assert.Eventually(t, func() bool { return c.active.Load() == 1 }, 10*time.Second, time.Millisecond)
	gates := make([]gate, 4)
	for i := range gates {
		gates[i] = newGate()
		second.Add(gates[i])
	}
	finished := make(chan struct{})
	go func() {
		second.Finish()
		close(finished)
	}()
	for i := range 3 {
		<-gates[i].begun // by the batch itself, and by a helper for each core that has become free
	}
	assert.Equal(t, int32(3), c.active.Load())
	for _, g := range gates {
		close(g.open)
	}
	<-finished
	second.Release()
	assert.Eventually(t, func() bool { return c.active.Load() == 0 }, 10*time.Second, time.Millisecond)
}

type failing struct{}

func (failing) Do() { panic("broken") }

func TestPanicReachesTheCaller(t *testing.T) {
	for cores := 1; cores <= 2; cores++ {
		crew := NewCores(cores).Crew(1, held())
		var other counter
		crew.Add(failing{})
		crew.Add(&other)
		func() {
			defer func() { assert.Contains(t, recover(), "broken") }()
			crew.Finish()
		}()
		crew.Release()
	}
}
