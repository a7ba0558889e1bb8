// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package charts

import (
	"cmp"
	"container/list"
	"maps"
	"slices"
	"sync"
	"time"
)

// Config limits a store.
type Config struct {
	// MaxBytes bounds the memory of the points, MaxAge their age in event time.
	MaxBytes int
	MaxAge   time.Duration
}

// Store stores the points of series. Its methods are safe for concurrent use. A nil store records nothing.
//
// No method holds the lock for longer than a bounded number of series takes, because Record waits for it on the way of
// telemetry.
type Store struct {
	cfg    Config
	mu     sync.Mutex
	lines  map[uint64]*line
	shares map[string]*ribbon
	bytes  int
	latest int64 // event time of the newest point

	loose       list.List // lines that are not pinned, by the time at which they gave way: the next to do so first
	pinned      list.List // pinned lines, by the time of their pins: the oldest first
	pinnedBytes int
}

// Handle refers to a series in a store, so that Record finds the series without a lookup. The zero value refers to none.
// A handle stays valid when its series leaves the store.
type Handle struct{ line *line }

// New returns an empty store.
func New(cfg Config) *Store {
	return &Store{cfg: cfg, lines: map[uint64]*line{}, shares: map[string]*ribbon{}}
}

// Record adds the next point of a series of a service. It sets Min and Max to Value. h belongs to the series: Record
// sets it at the first point.
func (s *Store) Record(h *Handle, series uint64, service string, p Point) {
	if s == nil {
		return
	}
	p.Min, p.Max = p.Value, p.Value
	s.mu.Lock()
	defer s.mu.Unlock()
	l := h.line
	if l == nil || l.store != s {
		if l = s.lines[series]; l == nil {
			l = &line{}
			s.enter(series, l)
		}
		h.line = l
	}
	if grown := l.add(p); grown != 0 {
		s.grow(l, grown)
		s.makeRoom(l)
	}
	s.latest = max(s.latest, p.Time)
	if p.Expected == p.Expected {
		s.share(l, service, p)
	}
}

// Points returns the points of a series in a range of event time, in nanoseconds, oldest first. It merges adjacent
// points if there are more than limit.
func (s *Store) Points(series uint64, from, to int64, limit int) []Point {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lines[series]
	if l == nil {
		return nil
	}
	list := l.points(from, to)
	if by := (len(list) + limit - 1) / max(limit, 1); by > 1 {
		thinned := make([]Point, 0, limit)
		for chunk := range slices.Chunk(list, by) {
			thinned = append(thinned, merge(chunk))
		}
		list = thinned
	}
	return list
}

// Expire removes points older than the age limit, and pins of that age. now is the time of the caller's clock.
func (s *Store) Expire(now time.Time) {
	s.mu.Lock()
	oldest := min(s.latest, now.UnixNano()) - int64(s.cfg.MaxAge)
	s.mu.Unlock()
	walk(s, s.lines, func(_ uint64, l *line) {
		if l.pinned > 0 && l.pinned < now.Add(-s.cfg.MaxAge).UnixNano() {
			s.unpin(l)
		}
		before := l.bytes()
		l.trim(oldest)
		s.grow(l, l.bytes()-before)
		if l.len() == 0 {
			s.remove(l)
		}
	})
	walk(s, s.shares, func(name string, r *ribbon) {
		if r.last < oldest {
			r.gone = true
			delete(s.shares, name)
		}
	})
}

// walkSlice is the number of entries for which walk takes the lock at a time.
const walkSlice = 128

// walk calls f for the entries of a map of the store, in the order of their keys, and lets others have the lock in
// between. It may or may not include entries that are added meanwhile.
func walk[K cmp.Ordered, V any](s *Store, m map[K]V, f func(K, V)) {
	for part := range slices.Chunk(keys(s, m), walkSlice) {
		s.mu.Lock()
		for _, k := range part {
			if v, ok := m[k]; ok {
				f(k, v)
			}
		}
		s.mu.Unlock()
	}
}

// keys returns the sorted keys of a map of the store.
func keys[K cmp.Ordered, V any](s *Store, m map[K]V) []K {
	s.mu.Lock()
	list := slices.AppendSeq(make([]K, 0, len(m)), maps.Keys(m))
	s.mu.Unlock()
	slices.Sort(list)
	return list
}

// Stats holds the size of a store.
type Stats struct {
	Series   int       `json:"series"`
	Points   int       `json:"points"`
	Bytes    int       `json:"bytes"`
	MaxBytes int       `json:"max_bytes"`
	Oldest   time.Time `json:"oldest,omitzero"`
	Latest   time.Time `json:"latest,omitzero"`
}

// Stats returns the size of the store.
func (s *Store) Stats() Stats {
	st, oldest := Stats{MaxBytes: s.cfg.MaxBytes}, int64(0)
	walk(s, s.lines, func(_ uint64, l *line) {
		st.Points += l.len()
		if t := l.first(); oldest == 0 || t < oldest {
			oldest = t
		}
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	st.Series, st.Bytes = len(s.lines), s.bytes
	if oldest > 0 {
		st.Oldest, st.Latest = time.Unix(0, oldest).UTC(), time.Unix(0, s.latest).UTC()
	}
	return st
}
