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
	helpers int       // that may still start
	queue   chan Work // nil if none may
	own     []Work    // without a queue
	pending sync.WaitGroup
	failure atomic.Pointer[string]
}

const (
	// queued is the number of works that wait at once.
	queued = 32
	// worthHelp is the number of waiting works for which a helper starts.
	worthHelp = 3
)

// Crew returns a crew that may use as many helpers, but only one for each core that has no work. Its caller holds
// lock. Release must follow.
func (c *Cores) Crew(helpers int, lock sync.Locker) *Crew {
	crew := &Crew{cores: c, lock: lock, helpers: helpers}
	c.active.Add(1)
	if helpers > 0 && c.most > 1 {
		crew.queue = make(chan Work, queued)
		crew.recruit()
	}
	return crew
}

// Release ends the crew. It waits for work that was added and not finished, because the caller panics.
func (c *Crew) Release() {
	if c.queue != nil {
		c.finish()
		close(c.queue)
	}
	c.cores.active.Add(-1)
}

// Add gives work to the crew. A helper may begin it at once. If too much work waits, Add does some of it.
func (c *Crew) Add(w Work) {
	if c.queue == nil {
		c.own = append(c.own, w)
		return
	}
	c.pending.Add(1)
	for {
		select {
		case c.queue <- w:
			return
		default:
		}
		select {
		case first := <-c.queue:
			c.do(first)
		default:
		}
	}
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
	if c.queue != nil {
		c.finish()
	}
	if failure := c.failure.Load(); failure != nil {
		panic(*failure)
	}
}

// finish does the work that no helper has begun, and waits for the rest.
func (c *Crew) finish() {
	for {
		if len(c.queue) >= worthHelp {
			c.recruit()
		}
		select {
		case w := <-c.queue:
			c.do(w)
		default:
			c.pending.Wait()
			return
		}
	}
}

// recruit starts a helper for each core that has no work.
func (c *Crew) recruit() {
	for ; c.helpers > 0 && c.cores.active.Load() < c.cores.most; c.helpers-- {
		c.cores.active.Add(1)
		go c.help()
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
