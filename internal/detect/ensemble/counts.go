// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package ensemble

import (
	"math"

	"github.com/auspex-otel/auspex/internal/state"
	"github.com/auspex-otel/auspex/internal/stats"
)

const (
	countMemory = 20000 // points that the mean of a count remembers
	smallMean   = 10    // up to which a count has exact tails
	doubt       = 2.33  // standard errors that the mean of a count may be wrong by: a bound that holds to 99 %
	few         = 3     // events that may have been missed whatever was seen (the rule of three)
	checkFrom   = 3     // nats from which a surprise is held against the exact tail
)

// counts holds the mean and the dispersion of a series of small whole numbers. The
// distribution of such a series is more exact than ranks: a count of 1 is as rare as the
// mean implies, however many zeros went before.
type counts struct {
	other    bool // the series has had a value that is no count
	n        float64
	mean, sq float64
}

// learn takes the next value in.
func (c *counts) learn(v float64) {
	if c.other {
		return
	}
	if v < 0 || v != math.Trunc(v) || v > 1e9 {
		c.other = true
		return
	}
	c.n = min(countMemory, c.n+1)
	if c.n > 100 {
		v = min(v, c.mean+12*math.Sqrt(max(1, c.sq-c.mean*c.mean))) // a burst does not become the rule
	}
	c.mean += (v - c.mean) / c.n
	c.sq += (v*v - c.sq) / c.n
}

// small reports whether the series has exact tails.
func (c *counts) small() bool { return !c.other && c.n > 0 && c.mean < smallMean }

// surprise returns minus the logarithm of the probability that k points count as
// many as v in all, or more, or where v is below the mean, or less, in nats. The mean
// is taken as far toward v as doubt allows.
func (c *counts) surprise(v float64, k int) float64 {
	variance := max(c.mean, c.sq-c.mean*c.mean)
	wrong := doubt*math.Sqrt(variance/c.n) + few/c.n
	dispersion := 1.0
	if c.mean > 0 {
		dispersion = max(1, variance/c.mean)
	}
	if n := float64(k); v > c.mean*n {
		return stats.CountSurprise(v, (c.mean+wrong)*n, dispersion)
	} else if c.mean > wrong {
		return stats.CountSurprise(v, (c.mean-wrong)*n, dispersion)
	}
	return 0
}

func (c *counts) state(s *state.Codec) {
	s.Bool(&c.other)
	for _, v := range [...]*float64{&c.n, &c.mean, &c.sq} {
		s.Float64(v)
		s.Check(*v >= 0 && *v <= largest)
	}
}

// exact returns the surprise of a small count in nats: the greatest of the latest
// point's, the short window's and the long window's.
func (m *Model) exact(v float64) float64 {
	nats := m.counts.surprise(v, 1)
	sum := func(ring int, values []float32, each int) {
		if m.rings[ring].Full(values) {
			mean := m.in.Origin + m.in.Span*m.rings[ring].Mean(values, len(values))
			k := len(values) * each
			nats = max(nats, m.counts.surprise(math.Round(mean*float64(k)), k))
		}
	}
	sum(0, m.short[:], 1)
	sum(1, m.long[:], int(max(1, m.perSlot)))
	return nats
}
