// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package prometheusremotewritereceiver

import "sync"

// cache keeps at least half as many entries as its limit, the most recently used ones. It has two
// maps. When the young map reaches half the limit it replaces the old map, and entries of the old
// map that were not used since are discarded.
type cache[K comparable, V any] struct {
	mu         sync.Mutex
	half       int
	young, old map[K]V
	forgotten  func(V)
}

func newCache[K comparable, V any](limit int, forgotten func(V)) *cache[K, V] {
	return &cache[K, V]{half: max(1, limit/2), young: map[K]V{}, forgotten: forgotten}
}

func (c *cache[K, V]) get(k K) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if v, ok := c.young[k]; ok {
		return v, true
	}
	v, ok := c.old[k]
	if ok {
		delete(c.old, k)
		c.add(k, v)
	}
	return v, ok
}

func (c *cache[K, V]) put(k K, v V) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.old, k)
	c.add(k, v)
}

// update replaces an entry atomically with the result of change. change gets the zero value if
// there is no entry.
func (c *cache[K, V]) update(k K, change func(V) V) V {
	c.mu.Lock()
	defer c.mu.Unlock()
	v, ok := c.young[k]
	if !ok {
		v = c.old[k]
		delete(c.old, k)
	}
	v = change(v)
	c.add(k, v)
	return v
}

// take removes and returns an entry.
func (c *cache[K, V]) take(k K) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	v, ok := c.young[k]
	if !ok {
		v, ok = c.old[k]
	}
	delete(c.young, k)
	delete(c.old, k)
	return v, ok
}

func (c *cache[K, V]) empty() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.young)+len(c.old) == 0
}

func (c *cache[K, V]) add(k K, v V) {
	if _, is := c.young[k]; !is && len(c.young) >= c.half {
		if c.forgotten != nil {
			for _, gone := range c.old {
				c.forgotten(gone)
			}
		}
		c.young, c.old = make(map[K]V, c.half), c.young
	}
	c.young[k] = v
}
