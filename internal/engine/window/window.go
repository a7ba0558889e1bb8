// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package window

import (
	"slices"
	"time"

	"github.com/auspex-otel/auspex/internal/engine/clock"
	"github.com/auspex-otel/auspex/internal/state"
)

const (
	// Length is the length of the windows in which log records and spans are counted, in nanoseconds of event time. A
	// late record counts in the open window.
	Length = int64(15e9)
	// windowLateness closes a window without a later record: when the watermark of its service is this far beyond its
	// end, or when the service has been idle for this time, in ticks.
	windowLateness = int64(30e9)
	// mostEmpty bounds the empty windows in a row that count as empty. During a longer gap the service was not
	// recorded.
	mostEmpty = 40
)

// Window is the open window of one service's records of one signal.
type Window struct {
	End  int64      // event time; 0 if none is open
	mark clock.Mark // of its records
}

// Admit decides whether a record of event time t counts. If it does and windows must be closed first, it returns the
// end of the window to open, otherwise 0.
func (w *Window) Admit(t int64, now time.Time) (verdict clock.Verdict, open int64) {
	before := w.mark.Time()
	if verdict = w.mark.Admit(t, now); verdict != clock.Timely {
		return verdict, 0
	}
	switch end := endOf(t); {
	case w.End == 0 || w.mark.Time() < before:
		w.End = end
	case t >= w.End:
		return verdict, end
	}
	return verdict, 0
}

// Resume makes a restored window wait for records from a tick on.
func (w *Window) Resume(now time.Time) { w.mark.Resume(now) }

func endOf(t int64) int64 { return t - t%Length + Length }

// Through closes the open window and the empty ones after it, up to the one that ends at end.
func (w *Window) Through(end int64, closeOne func()) {
	closeOne()
	if (end-w.End)/Length > mostEmpty {
		w.End = end - Length // not recorded
	}
	for w.End += Length; w.End < end; w.End += Length {
		closeOne()
	}
}

// Tick closes windows without a later record, if another signal of the service has advanced its event time to known,
// or if the service has been idle.
func (w *Window) Tick(now time.Time, known int64, closeOne func()) {
	switch {
	case w.End == 0:
	case known >= w.End+windowLateness:
		w.Through(endOf(known-windowLateness), closeOne)
	case known < w.End && w.mark.Idle(now) > time.Duration(windowLateness):
		closeOne()
		w.End = 0
	}
}

// Persist writes or reads the window.
func (w *Window) Persist(c *state.Codec) {
	c.Int64(&w.End)
	w.mark.State(c)
	c.Check(w.End >= 0)
}

const (
	// leastValues is the minimum number of values in a window for quantiles. mostValues bounds the kept values.
	leastValues, mostValues = 5, 128
)

// Values holds the values of one window. If there are many, it keeps every second, fourth, and so on.
type Values struct {
	Kept   []float64
	Seen   int
	Stride int
}

// Add adds a value to the open window.
func (s *Values) Add(v float64) {
	if s.Stride == 0 {
		s.Stride = 1
	}
	if s.Seen++; s.Seen%s.Stride != 0 {
		return
	}
	if len(s.Kept) == mostValues {
		for i := range mostValues / 2 {
			s.Kept[i] = s.Kept[2*i+1]
		}
		s.Kept = s.Kept[:mostValues/2]
		s.Stride *= 2
	}
	s.Kept = append(s.Kept, v)
}

// Sorted sorts the values. It returns false if there are too few for quantiles.
func (s *Values) Sorted() bool {
	slices.Sort(s.Kept)
	return len(s.Kept) >= leastValues
}

// Reset starts the next window.
func (s *Values) Reset() { s.Kept, s.Seen, s.Stride = s.Kept[:0], 0, 0 }

// Quantile returns a quantile of sorted values. There must be at least one.
func (s *Values) Quantile(q float64) float64 {
	at := float64(q * float64(len(s.Kept)-1))
	i := int(at)
	if i+1 == len(s.Kept) {
		return s.Kept[i]
	}
	return s.Kept[i] + float64((at-float64(i))*(s.Kept[i+1]-s.Kept[i]))
}

// Persist writes or reads the values.
func (s *Values) Persist(c *state.Codec) {
	c.Int(&s.Seen)
	c.Int(&s.Stride)
	state.List(c, &s.Kept, 8, func(v *float64) { c.Bits(v) })
	c.Check(s.Seen >= 0 && s.Stride >= 0 && len(s.Kept) <= mostValues)
}
