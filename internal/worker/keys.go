// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package worker

import (
	"container/list"
	"fmt"
)

const (
	// DefaultLive is the default number of keys that are kept as engines. Each takes about 0.3 MiB, its state about 0.01.
	DefaultLive = 32
	// stateSize is the expected size of the state of a new key.
	stateSize = 12 << 10
)

// unit is the engine of one key.
type unit interface {
	Save() ([]byte, error)
}

// table holds the keys: the latest as engines, the others as states.
type table[U unit] struct {
	create  func() U
	load    func(state []byte) (U, error)
	maxLive int // number of engines
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

func newTable[U unit](o Options, create func() U, load func([]byte) (U, error)) *table[U] {
	return &table[U]{create: create, load: load, maxLive: o.Live, maxIdle: o.Memory, live: map[string]*list.Element{}, order: list.New(), idle: map[string][]byte{}}
}

// admit returns an error if there is no room for the new ones among the given keys.
func (t *table[U]) admit(keys []string) error {
	fresh := 0
	for _, key := range keys {
		if !t.known(key) {
			fresh++
		}
	}
	if beyond := fresh + len(t.live) - t.maxLive; fresh > 0 && beyond > 0 && t.size+beyond*stateSize > t.maxIdle {
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
		u := t.create()
		return u, t.put(key, u)
	}
	u, err := t.load(state)
	if err != nil {
		return u, err
	}
	return u, t.put(key, u)
}

// known reports whether a key has a state.
func (t *table[U]) known(key string) bool { return t.live[key] != nil || t.idle[key] != nil }

// snapshot returns the state of a key.
func (t *table[U]) snapshot(key string) ([]byte, error) {
	if !t.known(key) {
		return nil, unknownKey(key)
	}
	if e := t.live[key]; e != nil {
		return e.Value.(live[U]).unit.Save()
	}
	return t.idle[key], nil
}

// restore makes a state that of a key, which errors call by the given noun.
func (t *table[U]) restore(noun, key string, state []byte) error {
	u, err := t.load(state)
	if err != nil {
		return fmt.Errorf("%s %q: %w", noun, key, err)
	}
	if err := t.admit([]string{key}); err != nil {
		return err
	}
	return t.put(key, u)
}

// put makes an engine that of a key. The oldest others become states.
func (t *table[U]) put(key string, u U) error {
	t.drop(key)
	t.live[key] = t.order.PushFront(live[U]{key, u})
	for t.order.Len() > t.maxLive {
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

// unknownKey is the error for a key without a state.
func unknownKey(key string) error {
	return fmt.Errorf("key %q has no state: observe or restore it first", key)
}
