// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package season

import (
	"math"
	"time"
)

// The profile's gains are per time, not per point: a bin has learned a quarter
// of what is new to it after it was passed once, whatever the cadence.
const (
	binGain   = 0.3
	levelTime = 36 * time.Hour // time constant of the level that a profile is relative to
	scaleGain = 0.002
	clip      = 3 // times the scale: the most that one point moves the profile
	binTime   = time.Hour
	longest   = 6 * time.Hour // between two points that still count as neighbours
	trusting  = 2 * 24 * 12
)

// Profile is a smooth daily course, weekends apart: a line between the hours'
// means, relative to a slow level. Unlike Means it is robust: one strange hour
// does not become tomorrow's expectation.
type Profile struct {
	bin   [2 * hours]float64
	count [2 * hours]uint8
	level float64
	scale float64
	last  int64
	n     uint16
}

// place is a point between two bins.
type place struct {
	bin   [2]int
	share [2]float64
}

func (p *Profile) place(l Local) (at place) {
	x := float64(l.Second)/3600 - 0.5
	lo := math.Floor(x)
	at.share[1] = x - lo
	at.share[0] = 1 - at.share[1]
	at.bin[0] = (int(lo) + hours) % hours
	at.bin[1] = (at.bin[0] + 1) % hours
	if l.Weekend() {
		at.bin[0] += hours
		at.bin[1] += hours
	}
	return at
}

// value is the bin's mean; a weekend's bin that knows nothing yet speaks as the weekday's does.
func (p *Profile) value(b int) float64 {
	if b >= hours && p.count[b] == 0 {
		return p.bin[b-hours]
	}
	return p.bin[b]
}

// Expect returns the profile's offset from the level at l.
func (p *Profile) Expect(l Local) float64 {
	at := p.place(l)
	return at.share[0]*p.value(at.bin[0]) + at.share[1]*p.value(at.bin[1])
}

// Learn takes v in, which came at t.
func (p *Profile) Learn(t int64, l Local, v, trust float64) {
	at := p.place(l)
	if p.n == 0 {
		p.level, p.last = v, t
	}
	dt := float64(min(max(t-p.last, 0), int64(longest)))
	p.last = t
	e := v - p.level - p.Expect(l)
	limit := math.MaxFloat64
	if p.n >= trusting {
		limit = clip * p.scale
	}
	p.scale += max(scaleGain, 1/(float64(p.n)+1)) * (min(math.Abs(e), limit) - p.scale)
	e = max(-limit, min(limit, e)) * trust
	a := max(min(0.1, dt/float64(levelTime)), 1/(float64(p.n)+1))
	p.level += a * e
	if p.n < math.MaxUint16 {
		p.n++
	}
	norm := at.share[0]*at.share[0] + at.share[1]*at.share[1]
	for k, b := range at.bin {
		if b >= hours && p.count[b] == 0 {
			p.bin[b] = p.bin[b-hours]
		}
		if at.share[k] > 0.25 {
			count(&p.count[b])
		}
		g := max(min(binGain, binGain*dt/float64(binTime)), 1/(float64(p.count[b])+1))
		p.bin[b] += g * (1 - a) * e * at.share[k] / norm
	}
}
