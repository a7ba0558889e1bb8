// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package shards

import (
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// Work is done once, by one goroutine.
type Work interface{ Do() }

// Cores counts the goroutines that do work at the same time.
type Cores struct {
	most   int32
	active atomic.Int32
}

// NewCores returns n cores.
func NewCores(n int) *Cores { return &Cores{most: int32(n)} }

// Crew does the work of one batch: the goroutine of the batch, and helpers.
type Crew struct {
	cores   *Cores
	lock    sync.Locker
	queue   chan Work // nil without helpers
	own     []Work    // without helpers
	pending sync.WaitGroup
	failure atomic.Pointer[string]
}

// queued is the number of works that wait at once. Beyond it, Add waits for a helper.
const queued = 32

// Crew returns a crew with one helper for each core that has no work, but at most the given number. Its caller holds
// lock. Release must follow.
func (c *Cores) Crew(helpers int, lock sync.Locker) *Crew {
	crew := &Crew{cores: c, lock: lock}
	for c.active.Add(1); helpers > 0; helpers-- {
		if c.active.Add(1) > c.most {
			c.active.Add(-1)
			break
		}
		if crew.queue == nil {
			crew.queue = make(chan Work, queued)
		}
		go crew.help()
	}
	return crew
}

// Release ends the crew. It waits for work that was added and not finished, because the caller panics.
func (c *Crew) Release() {
	if c.queue != nil {
		close(c.queue)
	}
	c.pending.Wait()
	c.cores.active.Add(-1)
}

// Add gives work to the crew. A helper may begin it at once.
func (c *Crew) Add(w Work) {
	if c.queue == nil {
		c.own = append(c.own, w)
		return
	}
	c.pending.Add(1)
	c.queue <- w
}

// Finish does the work that no helper has begun, and returns when all of it is done. It panics if work did. The lock is
// unlocked meanwhile.
func (c *Crew) Finish() {
	c.lock.Unlock()
	defer c.lock.Lock()
	for _, w := range c.own {
		w.Do()
	}
	c.own = c.own[:0]
	for c.queue != nil {
		select {
		case w := <-c.queue:
			c.do(w)
			continue
		default:
		}
		break
	}
	c.pending.Wait()
	if failure := c.failure.Load(); failure != nil {
		panic(*failure)
	}
}

func (c *Crew) help() {
	defer c.cores.active.Add(-1)
	for w := range c.queue {
		c.do(w)
	}
}

// do does work, and notes a panic.
func (c *Crew) do(w Work) {
	defer c.pending.Done()
	defer func() {
		if failure := recover(); failure != nil {
			text := fmt.Sprintf("%v\n%s", failure, debug.Stack())
			c.failure.Store(&text)
		}
	}()
	w.Do()
}
