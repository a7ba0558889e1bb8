// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package clock

import (
	"time"

	"github.com/auspex-otel/auspex/internal/state"
)

const (
	// Tolerance is the greatest distance of a timestamp ahead of the clock of ticks, or
	// behind the time that shared state has reached, at which it updates that state.
	Tolerance = 10 * time.Minute
	// quiet is the time, in ticks, without a timely timestamp after which shared state
	// goes back to an older one: all of its sources have set their clocks back.
	quiet = 10 * time.Minute
)

// Verdict is the decision about one timestamp.
type Verdict uint8

// The verdicts. Only a timely timestamp moves shared state.
const (
	Timely Verdict = iota
	// Ahead is a timestamp more than Tolerance ahead of the clock of ticks.
	Ahead
	// Behind is a timestamp more than Tolerance behind what was reached.
	Behind
	verdicts
)

var names = [verdicts]string{"timely", "ahead", "behind"}

// String returns the name, as it is counted.
func (v Verdict) String() string { return names[v] }

// IsAhead reports whether event time t, in nanoseconds since 1970, lies too far
// ahead of the clock of ticks.
func IsAhead(t int64, now time.Time) bool { return t > now.UnixNano()+int64(Tolerance) }

// Mark is the latest event time that shared state has reached. The zero value has
// reached none.
type Mark struct {
	at      int64     // nanoseconds since 1970, 0 for none
	touched time.Time // of the latest timely timestamp, on the clock of ticks
}

// At returns a mark that reached event time t at a tick.
func At(t int64, now time.Time) Mark { return Mark{t, now} }

// State writes or reads the event time that was reached. Resume must follow a read.
func (m *Mark) State(c *state.Codec) { c.Int64(&m.at) }

// Resume makes a restored mark count as reached at a tick: what a restart delays is
// no reason to go back.
func (m *Mark) Resume(now time.Time) { m.touched = now }

// Time returns the event time that was reached, in nanoseconds, 0 for none.
func (m *Mark) Time() int64 { return m.at }

// Idle returns the time in ticks since the latest timely timestamp.
func (m *Mark) Idle(now time.Time) time.Duration { return now.Sub(m.touched) }

// Admit decides about event time t, and moves the mark on to a timely one. A mark
// that lies ahead of the clock of ticks itself, because that clock was set back,
// returns to the next timestamp that does not.
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
