// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package season

import "math"

const (
	gain      = 0.1  // of a bin, at each point
	slowGain  = 0.01 // of the level
	enough    = 2    // points of a bin before it says anything
	hours     = 24
	halfHours = 48
)

// Means are forgetting means of a series by its place in the week: of the
// values by the half hour, weekends apart, and of what a slow level leaves of
// them by the hour. The zero value has seen nothing.
type Means struct {
	level  float64
	half   [2 * halfHours]float64
	offset [hours]float64
	hours  [hours]uint8         // points of each hour, up to 255
	halves [2 * halfHours]uint8 // points of each half hour, up to 255
	n      uint8                // points, up to 255
}

// Residuals are what a value is above what was usual: in its half hour, and in
// its hour above the level.
type Residuals struct {
	Half, Level float64
	// Known tells whether the half hour has been seen before.
	Known bool
}

// Observe returns the residuals of v at l, then learns it.
func (m *Means) Observe(l Local, v float64) (r Residuals) {
	h, q := l.Second*hours/day, l.Second*halfHours/day
	if l.Weekend() {
		q += halfHours
	}
	if m.n == 0 {
		m.level = v
	}
	r = Residuals{Half: v - m.half[q], Level: v - m.level - m.offset[h], Known: m.halves[q] >= enough}
	count(&m.n)
	count(&m.hours[h])
	count(&m.halves[q])
	a := max(slowGain, 1/float64(m.n))
	m.level += a * r.Level
	m.offset[h] += max(gain, 1/float64(m.hours[h])) * (1 - a) * r.Level
	m.half[q] += max(gain, 1/float64(m.halves[q])) * r.Half
	return r
}

func count(n *uint8) { *n = min(*n, math.MaxUint8-1) + 1 }
