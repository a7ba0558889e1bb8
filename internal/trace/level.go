// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"math"

	"github.com/auspex-otel/auspex/internal/exact"
	"github.com/auspex-otel/auspex/internal/stats"
)

// sums holds the moments of logarithms.
type sums struct{ n, s, ss float64 }

func (a *sums) add(b sums) { a.n, a.s, a.ss = a.n+b.n, a.s+b.s, a.ss+b.ss }

// floorTime is added to a duration, in nanoseconds, before the logarithm, so that 10 µs instead of 1 µs is not
// significant.
const floorTime = 50_000

func logOf(duration int64) sums {
	x := exact.Log(float64(max(0, duration)) + floorTime)
	return sums{1, x, float64(x * x)}
}

// Prior of a level, with the weight of priorWindows windows or priorPoints points.
const (
	priorDrift   = 0.15 // variance of the level between windows: 0.4 of its size is not surprising
	priorWindows = 4
	priorSpread  = 0.3
	priorPoints  = 4
	leastSpread  = 0.01
)

// Windows with at least this surprise, in nats, do not update the baseline. That many of them in a row become the new
// baseline.
const (
	gate      = 8
	adoptLast = 10
)

// level holds the usual mean logarithm of a time, and its variance within and between windows.
type level struct {
	base    sums
	windows float64
	drift   float64 // sum over windows of the variance between them
	seen    float64 // number of windows in drift
	other   sums    // consecutive windows that did not update the baseline
	others  float64
}

func (l *level) tau() float64 {
	return (l.drift + priorDrift*priorWindows) / (l.seen + priorWindows)
}

// z returns the distance of v above the usual level, in standard deviations.
func (l *level) z(v sums) float64 {
	if l.base.n == 0 || v.n == 0 {
		return 0
	}
	m0, m := l.base.s/l.base.n, v.s/v.n
	v0 := max(leastSpread, l.base.ss/l.base.n-float64(m0*m0))
	v1 := max(leastSpread, v.ss/v.n-float64(m*m))
	spread := (float64(v0*l.base.n) + float64(v1*v.n) + priorSpread*priorPoints) / (l.base.n + v.n + priorPoints)
	variance := float64(spread*(1/l.base.n+1/v.n)) + float64(l.tau()*(0.5+0.5/max(1, l.windows)))
	return (m - m0) / math.Sqrt(variance)
}

// surprise returns approximately -ln p of a level this high, or 0 if it is not higher than usual. Times have heavy
// tails, so a few outliers count only by their ranks.
func (l *level) surprise(v sums) float64 {
	z := l.z(v)
	if z <= 0 {
		return 0
	}
	return min(z*z/2, stats.MostSurprise(l.base.n, v.n))
}

// learn adds the next window.
func (l *level) learn(v sums) {
	if l.base.n > 0 {
		z := l.z(v)
		m0, m := l.base.s/l.base.n, v.s/v.n
		within := max(leastSpread, v.ss/v.n-float64(m*m)) / v.n
		l.drift += min(max(0, float64((m-m0)*(m-m0))-within), float64(6*l.tau()))
		l.seen++
		if z*z/2 > gate {
			l.other.add(v)
			if l.others++; l.others < min(l.windows+1, adoptLast) {
				return
			}
			v, l.base, l.windows = l.other, sums{}, l.others-1
		}
	}
	l.other, l.others = sums{}, 0
	l.base.add(v)
	if l.windows++; l.windows >= 2*forgetWindows {
		l.base = sums{l.base.n / 2, l.base.s / 2, l.base.ss / 2}
		l.windows, l.drift, l.seen = l.windows/2, l.drift/2, l.seen/2
	}
}
