// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package silence

import "github.com/auspex-otel/auspex/internal/state"

const (
	// growth bounds the factor by which one step can increase the usual step.
	growth = 1.25
	// forgetting is the time constant, in nanoseconds, of the decay of the longest step.
	forgetting = 24 * 3600 * 1e9
)

// Life is the clock of a source: event time without the time in which the whole source was silent. Gaps of streams
// are measured on it, so that an outage of a source or collector does not make streams absent. The zero value is at
// 0.
type Life struct {
	now  int64 // nanoseconds
	step int64 // the longest usual step of the source's watermark, nanoseconds
}

// Now returns the time of the clock in nanoseconds.
func (l *Life) Now() int64 { return l.now }

// Advance advances the clock by d > 0 nanoseconds, the step of the source's watermark, but at most by the longest
// usual step. It learns the usual step from all steps.
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
