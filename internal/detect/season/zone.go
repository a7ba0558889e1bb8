// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package season

import (
	"sync/atomic"
	"time"
)

const (
	day     = 24 * 60 * 60
	weekday = 4 // 1970-01-01 was a Thursday
)

// Zone converts event times to local ones. It caches the offset between the two clock changes around the last time.
// It is safe for concurrent use. The zero value is UTC.
type Zone struct {
	loc    *time.Location
	cached atomic.Pointer[span] // nil before the first look-up
}

// span is a range of Unix seconds with one offset, in seconds. It is immutable.
type span struct{ from, to, offset int64 }

// NewZone returns the zone of loc.
func NewZone(loc *time.Location) *Zone { return &Zone{loc: loc} }

// Local is a time in the week.
type Local struct {
	// Second is the second of the day, Weekday counts from Sunday.
	Second, Weekday int
}

// Weekend reports whether it is Saturday or Sunday.
func (l Local) Weekend() bool { return l.Weekday == 0 || l.Weekday == 6 }

// At returns the local time in the week of t, in nanoseconds since the Unix epoch.
func (z *Zone) At(t int64) Local {
	s := t / int64(time.Second)
	if z.loc != nil {
		at := z.cached.Load()
		if at == nil || s < at.from || s >= at.to {
			at = lookUp(z.loc, s)
			z.cached.Store(at)
		}
		s += at.offset
	}
	d := s / day
	s -= d * day
	if s < 0 {
		s += day
		d--
	}
	w := int((d + weekday) % 7)
	if w < 0 {
		w += 7
	}
	return Local{Second: int(s), Weekday: w}
}

// lookUp returns the range around s that has the offset at s. A zone without changes is valid for a year.
func lookUp(loc *time.Location, s int64) *span {
	at := time.Unix(s, 0).In(loc)
	_, offset := at.Zone()
	found := &span{s - 365*day, s + 365*day, int64(offset)}
	start, end := at.ZoneBounds()
	if !start.IsZero() {
		found.from = max(found.from, start.Unix())
	}
	if !end.IsZero() {
		found.to = min(found.to, end.Unix())
	}
	return found
}
