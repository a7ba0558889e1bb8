// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"slices"
	"time"
)

const (
	// windowLength is what log records and spans are counted in, in nanoseconds of
	// event time. What comes late counts in the window that is open.
	windowLength = int64(15e9)
	// windowLateness is how far the watermark of a service must be beyond a window
	// until that closes without a record that lies beyond it, and how long, in
	// ticks, a service may be idle until it closes.
	windowLateness = int64(30e9)
	// mostEmpty is how many empty windows in a row are counted as such; where there
	// are more the service was not recorded.
	mostEmpty = 40
	// mostLate is how many records in a row may lie more than a window before the
	// open one until the clock is taken for set back.
	mostLate = 1000
	// established is in how many windows something must have been seen to have a series of its own.
	established = 10
)

// window is the open window of one service's records of one signal.
type window struct {
	End     int64 // event time; 0 if none is open
	Late    int
	touched time.Time // of the latest record, on the clock of ticks
}

// passes opens the window of event time t, if that can be done at once. If
// windows have to be closed before, it returns the end of the one to open.
func (w *window) passes(t int64) (end int64, passed bool) {
	end = endOf(t)
	switch {
	case w.End == 0:
		w.End = end
	case t >= w.End:
		w.Late = 0
		return end, true
	case t < w.End-2*windowLength:
		if w.Late++; w.Late >= mostLate { // the clock was set back
			w.End, w.Late = end, 0
		}
		return end, false
	}
	w.Late = 0
	return end, false
}

func endOf(t int64) int64 { return t - t%windowLength + windowLength }

// through closes the open window, and the empty ones after it up to the one that ends at end.
func (w *window) through(end int64, closeOne func()) {
	closeOne()
	if (end-w.End)/windowLength > mostEmpty {
		w.End = end - windowLength // not recorded
	}
	for w.End += windowLength; w.End < end; w.End += windowLength {
		closeOne()
	}
}

// tick closes windows that no record closes: where the service has told by
// another signal that its time has gone on to known, or where it has been idle.
func (w *window) tick(now time.Time, known int64, closeOne func()) {
	switch {
	case w.End == 0:
	case known >= w.End+windowLateness:
		w.through(endOf(known-windowLateness), closeOne)
	case known < w.End && now.Sub(w.touched) > time.Duration(windowLateness):
		closeOne()
		w.End = 0
	}
}

const (
	// leastValues is how many values a window needs for quantiles, mostValues how many it keeps.
	leastValues, mostValues = 5, 128
)

// values are those of one window; of very many every second, fourth, … is kept.
type values struct {
	Kept   []float64
	Seen   int
	Stride int
}

func (s *values) add(v float64) {
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

// sorted sorts the values. It returns false if they are too few for quantiles.
func (s *values) sorted() bool {
	slices.Sort(s.Kept)
	return len(s.Kept) >= leastValues
}

func (s *values) reset() { s.Kept, s.Seen, s.Stride = s.Kept[:0], 0, 0 }

// quantile returns a quantile of sorted values, which are not none.
func (s *values) quantile(q float64) float64 {
	at := q * float64(len(s.Kept)-1)
	i := int(at)
	if i+1 == len(s.Kept) {
		return s.Kept[i]
	}
	return s.Kept[i] + (at-float64(i))*(s.Kept[i+1]-s.Kept[i])
}
