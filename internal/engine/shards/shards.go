// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package shards divides services among locks, and the work of a batch among goroutines.
package shards

import (
	"math/bits"
	"sync"
)

// Most is the maximum number of shards.
const Most = 64

// Set is a set of services: bit i is set if one has a hash with the remainder i of Most.
type Set uint64

// All contains every service.
const All = ^Set(0)

// Add adds the service whose name has the given hash.
func (s *Set) Add(hash uint64) { *s |= 1 << (hash % Most) }

// Locks holds a lock for each shard.
type Locks struct{ shards []sync.Mutex }

// New returns the locks of n shards. n is a power of two, at most Most.
func New(n int) *Locks { return &Locks{make([]sync.Mutex, n)} }

// Lock locks the shards of a set of services in ascending order.
func (l *Locks) Lock(s Set) {
	for rest := l.fold(s); rest != 0; rest &= rest - 1 {
		l.shards[bits.TrailingZeros64(rest)].Lock()
	}
}

// Unlock unlocks the shards that Lock locked.
func (l *Locks) Unlock(s Set) {
	for rest := l.fold(s); rest != 0; rest &= rest - 1 {
		l.shards[bits.TrailingZeros64(rest)].Unlock()
	}
}

// fold returns the indexes of the shards of a set, as bits.
func (l *Locks) fold(s Set) uint64 {
	all := uint64(s)
	for n := Most / 2; n >= len(l.shards); n /= 2 {
		all = all>>n | all&(1<<n-1)
	}
	return all
}
