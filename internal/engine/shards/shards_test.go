// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package shards

import (
	"sync"
	"sync/atomic"
	"testing"

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

func TestHelpersUseFreeCores(t *testing.T) {
	c := NewCores(3)
	first := c.Crew(1, held())
	assert.Equal(t, int32(2), c.active.Load())
	second := c.Crew(5, held())
	assert.Equal(t, int32(3), c.active.Load(), "its own, which no other uses")
	third := c.Crew(1, held())
	assert.Nil(t, third.queue)
	assert.Equal(t, int32(4), c.active.Load(), "a batch needs no free core")
	for _, crew := range []*Crew{first, second, third} {
		crew.Release()
	}
	assert.Eventually(t, func() bool { return c.active.Load() == 0 }, 10e9, 1e6)
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
