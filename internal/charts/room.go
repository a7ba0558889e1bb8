// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package charts

import (
	"container/list"
	"time"
)

const (
	// mostSteps bounds the series that give way for one point.
	mostSteps = 64
	// pinnedShare is the part of the memory, one in pinnedShare, beyond which pinned series lose their pins.
	pinnedShare = 2
)

// enter adds a line to the store.
func (s *Store) enter(series uint64, l *line) {
	l.id, l.store = series, s
	s.lines[series] = l
	pinned := l.pinned
	l.pinned, l.place = 0, s.loose.PushBack(l)
	s.bytes += l.bytes()
	s.pin(l, pinned)
}

// remove removes a line from the store.
func (s *Store) remove(l *line) {
	s.unpin(l)
	s.loose.Remove(l.place)
	s.bytes -= l.bytes()
	delete(s.lines, l.id)
	l.store = nil
}

// grow counts bytes that a line has gained.
func (s *Store) grow(l *line, bytes int) {
	s.bytes += bytes
	if l.pinned > 0 {
		s.pinnedBytes += bytes
	}
}

// Pin makes a known series the last to be removed. at is the time of the caller's clock.
func (s *Store) Pin(series uint64, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.lines[series]; l != nil {
		s.pin(l, at.UnixNano())
	}
}

// pin pins a line, unless it has a later pin.
func (s *Store) pin(l *line, at int64) {
	if at <= l.pinned {
		return
	}
	s.unpin(l)
	s.loose.Remove(l.place)
	s.pinnedBytes += l.bytes()
	l.pinned = at
	after := s.pinned.Back()
	for after != nil && lineOf(after).pinned > at {
		after = after.Prev()
	}
	if after == nil {
		l.place = s.pinned.PushFront(l)
	} else {
		l.place = s.pinned.InsertAfter(l, after)
	}
}

// unpin makes a line the next to give way, if it is pinned.
func (s *Store) unpin(l *line) {
	if l.pinned > 0 {
		s.pinned.Remove(l.place)
		s.pinnedBytes -= l.bytes()
		l.pinned, l.place = 0, s.loose.PushFront(l)
	}
}

// makeRoom keeps the store within its limit after the line l has grown. At most mostSteps lines give way. If that is
// not enough, l gives way itself until it takes no more than before.
func (s *Store) makeRoom(l *line) {
	for range mostSteps {
		if s.bytes <= s.cfg.MaxBytes {
			return
		}
		s.shrink(s.next())
	}
	for s.bytes > s.cfg.MaxBytes && l.store == s {
		s.shrink(l)
	}
}

// next returns the line that gives way next: the one that has not done so for the longest time and is not pinned. When
// pinned lines take more than their share of the memory, or there are no others, it is the one that was pinned the
// longest ago, which loses its pin.
func (s *Store) next() *line {
	if s.loose.Len() == 0 || s.pinnedBytes > s.cfg.MaxBytes/pinnedShare {
		s.unpin(lineOf(s.pinned.Front()))
	}
	return lineOf(s.loose.Front())
}

func lineOf(e *list.Element) *line { return e.Value.(*line) }

// shrink has a line give way once. It removes a line that has no points left.
func (s *Store) shrink(l *line) {
	before := l.bytes()
	l.shrink()
	s.grow(l, l.bytes()-before)
	if l.len() == 0 {
		s.remove(l)
	} else if l.pinned == 0 {
		s.loose.MoveToBack(l.place)
	}
}
