// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package season

import (
	"math"
	"time"

	"github.com/auspex-otel/auspex/internal/state"
)

// Gains of the profile are per time, not per point: a pass through a bin learns a quarter of the difference, at any
// cadence.
const (
	binGain   = 0.3
	levelTime = 36 * time.Hour // time constant of the level that a profile is relative to
	scaleTime = 48 * time.Hour // time constant of the scale,
	scaleGain = 0.02           // and the maximum effect of one point
	clip      = 3              // maximum effect of one point on the profile, in scales
	binTime   = time.Hour
	longest   = 6 * time.Hour // maximum distance between two adjacent points
	trusting  = 2 * 24 * 12
	// matureTime is the age from which the residuals of a profile are meaningful.
	matureTime   = 36 * time.Hour
	knownTime    = 4 * 24 * time.Hour  // after which the season of weekdays is known
	knownWeekend = 15 * 24 * time.Hour // after which that of weekends is known
	heldShare    = 0.2                 // share that it learns from a series that is away from its level
	trendTime    = 72 * time.Hour      // time constant of the level's slope
	hours        = 24
)

// Profile is a smooth daily season with separate weekends: a line through the hourly means, relative to a slow level.
// It is robust: one anomalous hour does not become the expectation of the next day.
type Profile struct {
	bin   [2 * hours]float64
	count [2 * hours]uint8
	level float64
	// weekday is the mean of the stored weekday bins. Their common part belongs to the level, which weekends share.
	weekday float64
	slope   float64 // of the level, per nanosecond; learned once the profile is mature
	scale   float64
	last    int64
	n       uint16
	since   int64 // time of the first point
}

// place holds the two bins around a time of day and their weights, which sum to 1.
type place struct {
	bin   [2]int
	share [2]float64
}

// place returns the two bins around l. Weekends have separate bins once the profile is mature, because a bin that was
// learned with an unsettled level would be wrong until the next weekend.
func (p *Profile) place(l Local) (at place) {
	x := float64(l.Second)/3600 - 0.5
	lo := math.Floor(x)
	at.share[1] = x - lo
	at.share[0] = 1 - at.share[1]
	at.bin[0] = (int(lo) + hours) % hours
	at.bin[1] = (at.bin[0] + 1) % hours
	if l.Weekend() && p.last-p.since >= int64(matureTime) {
		at.bin[0] += hours
		at.bin[1] += hours
	}
	return at
}

// value returns the mean of a bin. A weekend bin without values has the mean of the weekday bin.
func (p *Profile) value(b int) float64 {
	if b >= hours && p.count[b] > 0 {
		return p.bin[b]
	}
	return p.bin[b%hours] - p.weekday
}

// Outlook holds the facts of a profile about one time.
type Outlook struct {
	// Offset is the distance from the level.
	Offset float64
	// Mature reports whether the profile is at least matureTime old, and has seen this bin on a day of its kind before.
	Mature bool
	at     place
}

// At returns the outlook for t, which is l.
func (p *Profile) At(t int64, l Local) Outlook {
	at := p.place(l)
	return Outlook{
		Offset: float64(at.share[0]*p.value(at.bin[0])) + float64(at.share[1]*p.value(at.bin[1])),
		Mature: t-p.since >= int64(matureTime) && p.count[at.bin[0]] > 0,
		at:     at,
	}
}

// Level returns the slow level of the profile, and the mean absolute residual of both, which is above 0.
func (p *Profile) Level() (level, scale float64) {
	return p.level, p.scale + float64(1e-9*math.Abs(p.level)) + 1e-300
}

// Shift moves the level by d: a new level has been accepted as normal.
func (p *Profile) Shift(d float64) { p.level += d }

// learnBins moves the two bins at a place by their shares of the residual e.
func (p *Profile) learnBins(at place, e, dt float64) {
	norm := float64(at.share[0]*at.share[0]) + float64(at.share[1]*at.share[1])
	for k, b := range at.bin {
		if b >= hours && p.count[b] == 0 {
			p.bin[b] = p.value(b)
		}
		if p.count[b] == 0 && at.share[k] < 0.5 {
			continue // it would learn the other bin's error repeatedly
		}
		if at.share[k] > 0.25 {
			count(&p.count[b])
		}
		g := max(min(binGain, binGain*dt/float64(binTime)), 1/(float64(p.count[b])+1))
		p.move(b, g*e*at.share[k]/norm)
	}
}

// move adds d to a bin. The common change of the weekday bins goes to the level. Otherwise the level would drift
// while they compensate, and weekend bins, which are a week old, would be relative to an old level.
func (p *Profile) move(b int, d float64) {
	p.bin[b] += d
	if b < hours {
		p.weekday += d / hours
		p.level += d / hours
	}
}

// Away holds the mean distance of a series from level and season in each hour in which it was away from its level.
// The zero value is empty.
type Away struct {
	sum, time [hours]float32 // residuals times hours, and hours
	last      int64
}

// Learn adds a residual at t.
func (a *Away) Learn(t int64, l Local, e float64) {
	h := l.Second * hours / day
	passed := float32(min(max(t-a.last, 0), int64(binTime))) / float32(binTime)
	if a.last == 0 {
		passed = 0
	}
	a.last = t
	a.sum[h] += float32(passed * float32(max(-math.MaxFloat32, min(math.MaxFloat32, e))))
	a.time[h] += passed
}

// LearnAway learns the distances of a series that has returned to its level at t, because a daily return is a season.
// A profile that has seen four days, or two weekends, learns a fifth of it, so that a fault does not become part of
// the season.
func (p *Profile) LearnAway(t int64, l Local, a *Away) {
	_, scale := p.Level()
	limit, share := math.MaxFloat64, 1.0
	if age := t - p.since; age > int64(knownTime) && !l.Weekend() || age > int64(knownWeekend) {
		limit, share = float64(clip*scale), heldShare
	}
	first := 0
	if l.Weekend() {
		first = hours
	}
	for h, passed := range a.time {
		if passed > 0 {
			e := max(-limit, min(limit, float64(a.sum[h]/passed)))
			p.move(first+h, float64(share*binGain*min(1, float64(passed))*e))
		}
	}
}

// State writes or reads the distances.
func (a *Away) State(c *state.Codec) {
	c.Float32s(a.sum[:])
	c.Float32s(a.time[:])
	c.Int64(&a.last)
	for _, x := range a.time {
		c.Check(x >= 0)
	}
}

// Follow updates only the level with v at t. o is the outlook for t.
func (p *Profile) Follow(t int64, o Outlook, v float64) {
	dt := float64(min(max(t-p.last, 0), int64(longest)))
	p.last = t
	_, scale := p.Level()
	e := v - p.level - o.Offset
	p.level += float64(min(0.1, dt/float64(levelTime)) * max(float64(-clip*scale), min(float64(clip*scale), e)))
}

// Learn adds v at t. o is the outlook for t.
func (p *Profile) Learn(t int64, o Outlook, v, trust float64) {
	if p.n == 0 {
		p.level, p.last, p.since = v, t, t
	}
	dt := float64(min(max(t-p.last, 0), int64(longest)))
	p.last = t
	e := v - p.level - o.Offset
	limit := math.MaxFloat64
	if p.n >= trusting {
		limit = float64(clip * p.scale)
	}
	p.scale += float64(max(min(scaleGain, dt/float64(scaleTime)), 1/(float64(p.n)+1)) * (min(math.Abs(e), limit) - p.scale))
	e = float64(max(-limit, min(limit, e)) * trust)
	a := max(min(0.1, dt/float64(levelTime)), 1/(float64(p.n)+1))
	p.level += float64(a*e) + float64(p.slope*dt)
	if t-p.since >= int64(matureTime) && dt > 0 {
		g := min(0.05, dt/float64(trendTime))
		p.slope += g * g * e / dt
	}
	if p.n < math.MaxUint16 {
		p.n++
	}
	p.learnBins(o.at, float64((1-a)*e), dt)
}

func count(n *uint8) { *n = min(*n, math.MaxUint8-1) + 1 }
