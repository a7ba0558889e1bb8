// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package charts

import (
	"cmp"
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
type Store struct {
	cfg    Config
	mu     sync.Mutex
	lines  map[uint64]*line
	shares map[string]*ribbon
	bytes  int
	latest int64 // event time of the newest point
}

// New returns an empty store.
func New(cfg Config) *Store {
	return &Store{cfg: cfg, lines: map[uint64]*line{}, shares: map[string]*ribbon{}}
}

// Record adds the next point of a series of a service. It sets Min and Max to Value.
func (s *Store) Record(series uint64, service string, p Point) {
	if s == nil {
		return
	}
	p.Min, p.Max = p.Value, p.Value
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lines[series]
	if l == nil {
		l = &line{}
		s.lines[series] = l
		s.bytes += lineBytes
	}
	before := l.bytes()
	l.add(p)
	s.bytes += l.bytes() - before
	s.latest = max(s.latest, p.Time)
	if p.Expected == p.Expected {
		s.share(service, p)
	}
	if s.bytes > s.cfg.MaxBytes {
		s.shrink()
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

// Pin makes a known series the last to be removed. at is the time of the caller's clock.
func (s *Store) Pin(series uint64, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.lines[series]; l != nil {
		l.pinned = max(l.pinned, at.UnixNano())
	}
}

// Expire removes points older than the age limit, and pins of that age. now is the time of the caller's clock.
func (s *Store) Expire(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	oldest := min(s.latest, now.UnixNano()) - int64(s.cfg.MaxAge)
	for id, l := range s.lines {
		l.trim(oldest)
		if l.pinned < now.Add(-s.cfg.MaxAge).UnixNano() {
			l.pinned = 0
		}
		if l.len() == 0 {
			delete(s.lines, id)
		}
	}
	for name, r := range s.shares {
		if r.last < oldest {
			delete(s.shares, name)
		}
	}
	s.count()
}

// shrink merges and then drops points until an eighth of the memory is free. What was pinned last goes last.
func (s *Store) shrink() {
	type kept struct {
		id   uint64
		line *line
	}
	order := make([]kept, 0, len(s.lines))
	for id, l := range s.lines {
		order = append(order, kept{id, l})
	}
	slices.SortFunc(order, func(a, b kept) int { return cmp.Or(cmp.Compare(a.line.pinned, b.line.pinned), cmp.Compare(a.id, b.id)) })
	enough := s.cfg.MaxBytes - s.cfg.MaxBytes/8
	for s.bytes > enough && len(s.lines) > 0 {
		pinned := int64(0) // the series that were pinned the longest ago shrink together
		for _, k := range order {
			l, ok := s.lines[k.id]
			if !ok {
				continue
			}
			if l.pinned > pinned && s.bytes <= enough {
				break
			}
			pinned = l.pinned
			before := l.bytes()
			l.shrink()
			s.bytes += l.bytes() - before
			if l.len() == 0 {
				delete(s.lines, k.id)
				s.bytes -= lineBytes
			}
		}
	}
}

func (s *Store) count() {
	s.bytes = 0
	for _, l := range s.lines {
		s.bytes += l.bytes()
	}
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
	s.mu.Lock()
	defer s.mu.Unlock()
	st := Stats{Series: len(s.lines), Bytes: s.bytes, MaxBytes: s.cfg.MaxBytes}
	oldest := int64(0)
	for _, l := range s.lines {
		st.Points += l.len()
		for i := levels - 1; i >= 0; i-- {
			if level := l.levels[i]; len(level) > 0 {
				if t := level[0].Time; oldest == 0 || t < oldest {
					oldest = t
				}
				break
			}
		}
	}
	if oldest > 0 {
		st.Oldest, st.Latest = time.Unix(0, oldest).UTC(), time.Unix(0, s.latest).UTC()
	}
	return st
}
