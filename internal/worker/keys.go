// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"container/list"
	"fmt"
)

const (
	// mostLive is the number of keys that are kept as engines, which take about 1 MiB each.
	mostLive = 32
	// stateSize is the expected size of the state of a new key.
	stateSize = 12 << 10
)

// unit is the engine of one key.
type unit interface {
	Save() ([]byte, error)
}

// table holds the keys: the latest as engines, the others as states.
type table[U unit] struct {
	create  func(key string) U
	load    func(key string, state []byte) (U, error)
	maxIdle int // bytes of states
	live    map[string]*list.Element
	order   *list.List // of live keys, the latest first
	idle    map[string][]byte
	size    int // bytes in idle
}

type live[U unit] struct {
	key  string
	unit U
}

func newTable[U unit](maxIdle int, create func(string) U, load func(string, []byte) (U, error)) *table[U] {
	return &table[U]{create: create, load: load, maxIdle: maxIdle, live: map[string]*list.Element{}, order: list.New(), idle: map[string][]byte{}}
}

// admit returns an error if there is no room for the new ones among the given keys.
func (t *table[U]) admit(keys []string) error {
	fresh := 0
	for _, key := range keys {
		if t.live[key] == nil && t.idle[key] == nil {
			fresh++
		}
	}
	if beyond := fresh + len(t.live) - mostLive; fresh > 0 && beyond > 0 && t.size+beyond*stateSize > t.maxIdle {
		return fmt.Errorf("no memory for %d new keys besides %d others, whose states have %d bytes: flush or drop keys that have ended, or raise --memory-mib",
			fresh, len(t.live)+len(t.idle), t.size)
	}
	return nil
}

// get returns the engine of a key, and creates it if necessary.
func (t *table[U]) get(key string) (U, error) {
	if e := t.live[key]; e != nil {
		t.order.MoveToFront(e)
		return e.Value.(live[U]).unit, nil
	}
	state := t.idle[key]
	if state == nil {
		u := t.create(key)
		return u, t.put(key, u)
	}
	u, err := t.load(key, state)
	if err != nil {
		return u, err
	}
	return u, t.put(key, u)
}

// peek returns the state of a known key.
func (t *table[U]) peek(key string) (state []byte, known bool, err error) {
	if e := t.live[key]; e != nil {
		state, err = e.Value.(live[U]).unit.Save()
		return state, true, err
	}
	state = t.idle[key]
	return state, state != nil, nil
}

// put makes an engine that of a key. The oldest others become states.
func (t *table[U]) put(key string, u U) error {
	t.drop(key)
	t.live[key] = t.order.PushFront(live[U]{key, u})
	for t.order.Len() > mostLive {
		oldest := t.order.Back().Value.(live[U])
		state, err := oldest.unit.Save()
		if err != nil {
			return fmt.Errorf("key %q: %w", oldest.key, err)
		}
		t.drop(oldest.key)
		t.idle[oldest.key] = state
		t.size += len(state)
	}
	return nil
}

// drop forgets a key.
func (t *table[U]) drop(key string) {
	if e := t.live[key]; e != nil {
		t.order.Remove(e)
		delete(t.live, key)
	}
	t.size -= len(t.idle[key])
	delete(t.idle, key)
}

// clear forgets all keys.
func (t *table[U]) clear() {
	clear(t.live)
	t.order.Init()
	clear(t.idle)
	t.size = 0
}
