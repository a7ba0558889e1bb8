// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"errors"
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // zones must not depend on the machine

	"github.com/robfig/cron/v3"
)

// outlook bounds how far a schedule looks ahead. A time outside of windows remains outside for at
// most this long without another look-up.
const outlook = 365 * 24 * time.Hour

// cronParser parses five fields. It accepts neither @daily, nor @every, nor seconds.
var cronParser = cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow)

// window reports whether a time is in a maintenance window. It caches the bounds of the last
// stretch.
type window struct {
	schedule cron.Schedule
	duration time.Duration
	zone     *time.Location

	inside   bool
	from, to int64 // Unix nanoseconds; to is exclusive
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
	if strings.Contains(text, "=") { // the library accepts a zone before the fields; here Zone sets it
		return nil, errors.New("it must be five fields: minute, hour, day of month, month, day of week")
	}
	s, err := cronParser.Parse(text)
	if err != nil {
		return nil, err
	}
	if s.Next(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return nil, errors.New("the date does not exist, correct day of month and month")
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

// lookUp finds the stretch around a time: a window, or the known part of the time between two
// windows.
func (w *window) lookUp(at int64) {
	t := time.Unix(0, at)
	start := w.next(t.Add(-w.duration)) // the first one that may still be open
	if !start.IsZero() && !start.After(t) {
		w.inside, w.from, w.to = true, start.UnixNano(), start.Add(w.duration).UnixNano()
		return
	}
	to := t.Add(outlook).UnixNano()
	if !start.IsZero() {
		to = min(to, start.UnixNano())
	}
	if at < w.from && to == w.to { // the same stretch, with an earlier start
		w.from = at
		return
	}
	w.inside, w.from, w.to = false, at, to
}

// next returns the first start after t, or the zero time if there is none within the outlook.
//
// Between two changes of a zone's offset the schedule is evaluated on a clock with a constant
// offset. Starts that a change skips are evaluated as if the clock had not changed.
func (w *window) next(t time.Time) time.Time {
	end := t.Add(outlook)
	for in := t; in.Before(end); {
		local := in.In(w.zone)
		from, to := local.ZoneBounds()
		if !to.IsZero() && !to.After(in) { // the library errs by a day on 31 December of leap years from 2040
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

// skipped returns the first start after t in the time that the clock skipped at from, when it was
// set to now, or the zero time if there is none.
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
