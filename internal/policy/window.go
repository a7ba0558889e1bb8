// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"errors"
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // a zone must not depend on what the machine has installed

	"github.com/robfig/cron/v3"
)

// outlook is how far ahead of a time that lies outside of every window this is
// taken for sure. It bounds how far a schedule looks ahead, too.
const outlook = 365 * 24 * time.Hour

// cronParser reads the five fields, and no @daily, @every or seconds.
var cronParser = cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow)

// window reports whether a time lies in a maintenance window. It keeps the bounds
// of the stretch that it looked up last.
type window struct {
	schedule cron.Schedule
	duration time.Duration
	zone     *time.Location

	inside   bool
	from, to int64 // Unix nanoseconds; to is not part of it
}

func (m *Maintenance) compile() (*window, error) {
	var errs []error
	w := &window{duration: m.Duration}
	var err error
	if w.schedule, err = parseCron(m.Cron); err != nil {
		errs = append(errs, fmt.Errorf("cron %q: %w", m.Cron, err))
	}
	if w.zone, err = time.LoadLocation(m.Zone); err != nil {
		errs = append(errs, fmt.Errorf("zone %q: %w", m.Zone, err))
	}
	if m.Duration <= 0 {
		errs = append(errs, fmt.Errorf("duration is %v, it must be above 0", m.Duration))
	}
	return w, errors.Join(errs...)
}

func parseCron(text string) (cron.Schedule, error) {
	if strings.Contains(text, "=") { // the library knows a zone before the fields; ours is a key
		return nil, errors.New("it must be five fields: minute, hour, day of month, month, day of week")
	}
	s, err := cronParser.Parse(text)
	if err != nil {
		return nil, err
	}
	if s.Next(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return nil, errors.New("there is no such day")
	}
	return s, nil
}

// covers reports whether a window is open at a time. Times may come in any order.
func (w *window) covers(at int64) bool {
	if at < w.from || at >= w.to {
		w.lookUp(at)
	}
	return w.inside
}

// lookUp finds the stretch around a time: a window, or what lies between two as far as it is known.
func (w *window) lookUp(at int64) {
	t := time.Unix(0, at)
	start := w.next(t.Add(-w.duration)) // the first one that could still be open
	if !start.IsZero() && !start.After(t) {
		w.inside, w.from, w.to = true, start.UnixNano(), start.Add(w.duration).UnixNano()
		return
	}
	to := t.Add(outlook).UnixNano()
	if !start.IsZero() {
		to = min(to, start.UnixNano())
	}
	if at < w.from && to == w.to { // the same stretch, from further back
		w.from = at
		return
	}
	w.inside, w.from, w.to = false, at, to
}

// next returns the first start after t, the zero time if none is near.
//
// Between two changes of a zone's offset its clock is a plain one, so the
// schedule is read on that clock, stretch by stretch. What the clock skips at the
// beginning of a stretch is read as if it had not been changed.
func (w *window) next(t time.Time) time.Time {
	end := t.Add(outlook)
	for in := t; in.Before(end); {
		local := in.In(w.zone)
		from, to := local.ZoneBounds()
		if !to.IsZero() && !to.After(in) { // on 31 December of leap years from 2040 on the library errs by that day
			to = in.Add(24 * time.Hour)
		}
		start := w.onClock(t, offset(local))
		if !to.IsZero() && !start.Before(to) {
			start = time.Time{}
		}
		if s := w.skipped(t, from, offset(local)); !s.IsZero() && (start.IsZero() || s.Before(start)) {
			start = s
		}
		if !start.IsZero() || to.IsZero() {
			return start
		}
		t, in = to.Add(-1), to // a start at the change itself counts
	}
	return time.Time{}
}

// skipped returns the first start after t in the time that the clock skipped at
// from, where it was set to now; the zero time if there is none.
func (w *window) skipped(t, from time.Time, now time.Duration) time.Time {
	if from.IsZero() {
		return time.Time{}
	}
	was := offset(from.Add(-1).In(w.zone))
	end := from.Add(now - was)
	if !t.Before(end) {
		return time.Time{}
	}
	if s := w.onClock(t, was); s.Before(end) {
		return s
	}
	return time.Time{}
}

func offset(t time.Time) time.Duration {
	_, seconds := t.Zone()
	return time.Duration(seconds) * time.Second
}

// onClock returns the first start after t on a clock that is ahead of UTC by ahead.
func (w *window) onClock(t time.Time, ahead time.Duration) time.Time {
	s := w.schedule.Next(t.UTC().Add(ahead))
	if s.IsZero() {
		return s
	}
	return s.Add(-ahead)
}
