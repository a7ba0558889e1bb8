// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package silence

import "github.com/auspex-otel/auspex/internal/state"

const (
	// growth bounds by how much one step can make a longer one usual.
	growth = 1.25
	// forgetting is the time, in nanoseconds, in which the longest step is forgotten to the e-th part.
	forgetting = 24 * 3600 * 1e9
)

// Life is the clock of a source's life: event time without the time in which
// the source as a whole was silent. A gap of one stream is measured on it, so
// that a source, or a collector, that was down has left no stream behind.
// The zero value has seen nothing.
type Life struct {
	now  int64 // nanoseconds
	step int64 // the longest usual step of the source's watermark, nanoseconds
}

// Now returns the time of the clock, in nanoseconds.
func (l *Life) Now() int64 { return l.now }

// Advance moves the clock by d > 0 nanoseconds, the step of the source's watermark, but by
// no more than the longest usual step. It learns the usual step from all steps.
func (l *Life) Advance(d int64) {
	if l.step == 0 {
		l.step = d
		return
	}
	usual := l.step
	l.now += min(d, usual)
	longer := int64(growth*float64(usual)) + 1
	l.step = max(min(d, longer), usual-int64(float64(usual)*float64(min(d, usual))/forgetting))
}

// State writes or reads the clock.
func (l *Life) State(c *state.Codec) {
	c.Int64(&l.now)
	c.Int64(&l.step)
	c.Check(l.now >= 0 && l.step >= 0)
}
