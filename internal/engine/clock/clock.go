// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package clock

import (
	"time"

	"github.com/auspex-otel/auspex/internal/state"
)

const (
	// Tolerance is the greatest distance of a timestamp from the clock of ticks (ahead), or from the time of shared
	// state (behind), at which it updates that state.
	Tolerance = 10 * time.Minute
	// quiet is the time, in ticks, without a timely timestamp after which shared state accepts an older one, because
	// all of its sources have set their clocks back.
	quiet = 10 * time.Minute
)

// Verdict is the decision about one timestamp.
type Verdict uint8

// Verdicts. Only a timely timestamp advances shared state.
const (
	Timely Verdict = iota
	// Ahead is a timestamp more than Tolerance ahead of the clock of ticks.
	Ahead
	// Behind is a timestamp more than Tolerance behind the mark.
	Behind
	verdicts
)

var names = [verdicts]string{"timely", "ahead", "behind"}

// String returns the name under which a verdict is counted.
func (v Verdict) String() string { return names[v] }

// IsAhead reports whether event time t, in nanoseconds since 1970, is too far ahead of the clock of ticks.
func IsAhead(t int64, now time.Time) bool { return t > now.UnixNano()+int64(Tolerance) }

// Mark is the latest event time that shared state has reached. The zero value has
// reached none.
type Mark struct {
	at      int64     // nanoseconds since 1970, 0 for none
	touched time.Time // of the latest timely timestamp, on the clock of ticks
}

// At returns a mark that reached event time t at a tick.
func At(t int64, now time.Time) Mark { return Mark{t, now} }

// State writes or reads the event time that was reached and, in a complete state, the tick of its latest timely
// timestamp. Resume must follow a read.
func (m *Mark) State(c *state.Codec) {
	c.Int64(&m.at)
	if c.Complete() {
		c.Time(&m.touched)
	}
}

// Resume marks a mark that was restored without its tick as reached at a tick, so that a delay by a restart does not
// make it go back.
func (m *Mark) Resume(now time.Time) {
	if m.touched.IsZero() {
		m.touched = now
	}
}

// Time returns the event time that was reached, in nanoseconds, 0 for none.
func (m *Mark) Time() int64 { return m.at }

// Idle returns the time in ticks since the latest timely timestamp.
func (m *Mark) Idle(now time.Time) time.Duration { return now.Sub(m.touched) }

// Admit returns the verdict on event time t, and advances the mark to a timely one. If the clock of ticks was set
// back, so that the mark is ahead of it, the mark returns to the next timestamp that is not ahead.
func (m *Mark) Admit(t int64, now time.Time) Verdict {
	switch {
	case IsAhead(t, now):
		return Ahead
	case IsAhead(m.at, now):
		m.at = t
	case t >= m.at-int64(Tolerance):
		m.at = max(m.at, t)
	case m.Idle(now) < quiet:
		return Behind
	default:
		m.at = t
	}
	m.touched = now
	return Timely
}
