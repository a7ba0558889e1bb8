// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package ensemble

import (
	"math"

	"github.com/auspex-otel/auspex/internal/state"
	"github.com/auspex-otel/auspex/internal/stats"
)

const (
	countMemory = 20000 // memory of the mean of a count, in points
	smallMean   = 10    // maximum mean of a count with exact tails
	doubt       = 2.33  // maximum error of the mean of a count in standard errors: a 99 % bound
	few         = 3     // events that may have been missed in any case (the rule of three)
	checkFrom   = 3     // nats from which a surprise is compared with the exact tail
)

// counts holds the mean and the dispersion of a series of small integers. The distribution of such a series is more
// exact than ranks: a count of 1 is as rare as the mean implies, for any number of preceding zeros.
type counts struct {
	other    bool // the series has had a value that is not a count
	n        float64
	mean, sq float64
}

// learn adds the next value.
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
		v = min(v, c.mean+float64(12*math.Sqrt(max(1, c.sq-float64(c.mean*c.mean))))) // limits the effect of a burst
	}
	c.mean += (v - c.mean) / c.n
	c.sq += (float64(v*v) - c.sq) / c.n
}

// small reports whether the exact tails apply to the series.
func (c *counts) small() bool { return !c.other && c.n > 0 && c.mean < smallMean }

// surprise returns -ln of the probability, in nats, that k points have a total of at least v, or at most v if it is
// below the mean. It shifts the mean toward v by the error that doubt allows.
func (c *counts) surprise(v float64, k int) float64 {
	variance := max(c.mean, c.sq-float64(c.mean*c.mean))
	wrong := float64(doubt*math.Sqrt(variance/c.n)) + few/c.n
	dispersion := 1.0
	if c.mean > 0 {
		dispersion = max(1, variance/c.mean)
	}
	if n := float64(k); v > c.mean*n {
		return stats.CountSurprise(v, float64((c.mean+wrong)*n), dispersion)
	} else if c.mean > wrong {
		return stats.CountSurprise(v, float64((c.mean-wrong)*n), dispersion)
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

// exact returns the surprise of a small count in nats: the maximum for the latest point, the short window, and the
// long window.
func (m *Model) exact(v float64) float64 {
	nats := m.counts.surprise(v, 1)
	sum := func(ring int, values []float32, each int) {
		if m.rings[ring].Full(values) {
			mean := m.in.Origin + float64(m.in.Span*m.rings[ring].Mean(values, len(values)))
			k := len(values) * each
			nats = max(nats, m.counts.surprise(math.Round(float64(mean*float64(k))), k))
		}
	}
	sum(0, m.short[:], 1)
	sum(1, m.long[:], int(max(1, m.perSlot)))
	return nats
}
