// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package season

import (
	"math"

	"github.com/auspex-otel/auspex/internal/state"
)

const (
	spreadGain  = 0.3 // per hour: learned in one pass through a bin
	spreadPrior = 1.5 // weight of the prior ratio of 1 in hours
	leastRatio  = 0.25
	mostRatio   = 8.0
)

// Spread is the size of prediction errors in each hour of the day relative to their usual size, so that a nightly job
// widens the interval only at night. The zero value has the same size in all hours.
type Spread struct {
	ratio [hours]float32 // decaying mean of |error| / scale
	known [hours]float32 // hours seen, up to 100
	last  int64
}

// Ratio returns the size of errors at l relative to their usual size.
func (s *Spread) Ratio(l Local) float64 {
	h := l.Second * hours / day
	known := float64(s.known[h])
	return max(leastRatio, min(mostRatio, (float64(float64(s.ratio[h])*known)+spreadPrior)/(known+spreadPrior)))
}

// Learn adds an error of |z| scales at t.
func (s *Spread) Learn(t int64, l Local, z, trust float64) {
	h := l.Second * hours / day
	passed := float32(trust) * float32(min(max(t-s.last, 0), int64(binTime))) / float32(binTime)
	s.last = t
	if passed <= 0 {
		return
	}
	s.known[h] = min(100, s.known[h]+passed)
	s.ratio[h] += float32(min(1, max(float32(spreadGain*passed), passed/s.known[h])) * (float32(math.Abs(z)) - s.ratio[h]))
}

// State writes or reads the spread.
func (s *Spread) State(c *state.Codec) {
	c.Int64(&s.last)
	c.Float32s(s.ratio[:])
	c.Float32s(s.known[:])
	for h := range s.ratio {
		c.Check(s.ratio[h] >= 0 && s.ratio[h] <= 1e30 && s.known[h] >= 0 && s.known[h] <= 100)
	}
}
