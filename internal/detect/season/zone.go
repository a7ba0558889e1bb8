// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package season

import "time"

const (
	day     = 24 * 60 * 60
	weekday = 4 // 1970-01-01 was a Thursday
)

// Zone converts event times to local ones. It caches the offset between the two clock changes around the last time.
// It is not safe for concurrent use. The zero value is UTC.
type Zone struct {
	loc      *time.Location
	from, to int64 // Unix seconds between which offset is valid
	offset   int64
}

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
	if z.loc != nil && (s < z.from || s >= z.to) {
		z.look(s)
	}
	s += z.offset
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

// look determines the offset at s and its validity. A zone without changes is valid for a year.
func (z *Zone) look(s int64) {
	at := time.Unix(s, 0).In(z.loc)
	_, offset := at.Zone()
	z.offset = int64(offset)
	z.from, z.to = s-365*day, s+365*day
	start, end := at.ZoneBounds()
	if !start.IsZero() {
		z.from = max(z.from, start.Unix())
	}
	if !end.IsZero() {
		z.to = min(z.to, end.Unix())
	}
}
