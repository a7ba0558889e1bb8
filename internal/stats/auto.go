// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package stats

import "math"

const (
	shiftBuckets = 16 // number of buckets by which a change of the unit moves the counts: 4 octaves
	shiftFactor  = 16 // the corresponding factor
	tooHigh      = 50 // last bucket in which a tail may begin
	tooLow       = 12 // first bucket in which a tail may begin
)

// unit is a power of two by which values are divided before they are counted, so that values of
// any size fit the buckets. It is 0 until a nonzero value was seen.
type unit float64

// of returns x in units.
func (u unit) of(x float64) float64 {
	if u == 0 {
		return 0
	}
	return max(-farthest, min(farthest, x/float64(u)))
}

const farthest = 1e100 // maximum value in units, against overflow

// first sets the unit by the first nonzero value.
func (u *unit) first(x float64) {
	if *u == 0 && x != 0 {
		_, e := math.Frexp(x)
		*u = unit(math.Ldexp(1, max(-1000, e)))
	}
}

// fits returns 1 if a tail that begins at bucket j is in range, else the factor for the unit.
func fits(j int, counted bool) float64 {
	switch {
	case j > tooHigh:
		return shiftFactor
	case j < tooLow && counted:
		return 1.0 / shiftFactor
	default:
		return 1
	}
}

// shift moves the counts after the unit has increased by factor.
func (s *side) shift(factor float64) {
	if factor > 1 {
		for j := 1; j <= shiftBuckets; j++ {
			c := &s.count[0]
			add(c, s.count[j])
		}
		copy(s.count[1:], s.count[1+shiftBuckets:])
		clear(s.count[buckets-shiftBuckets:])
	} else {
		var open uint16
		for _, c := range s.count[openEdge-shiftBuckets:] {
			add(&open, c)
		}
		copy(s.count[1+shiftBuckets:], s.count[1:])
		clear(s.count[1 : 1+shiftBuckets])
		s.count[openEdge] = open
	}
	s.total = sum(s.count[:])
}

// Positive ranks nonnegative numbers of any size.
type Positive struct {
	unit unit
	m    Magnitudes
}

// NewPositive returns an empty Positive.
func NewPositive() Positive { return Positive{m: NewMagnitudes()} }

// P returns a factor and an addend, as Magnitudes.P does.
func (p *Positive) P(x, w float64) (share, nats float64) {
	switch total := float64(p.m.side.total); {
	case total == 0 || p.unit == 0 && x == 0:
		return 1, 0
	case p.unit == 0:
		return w / 2 / (total + w), 0
	default:
		return p.m.P(p.unit.of(x), w)
	}
}

// Add learns x.
func (p *Positive) Add(x, w, trust float64) {
	p.unit.first(x)
	p.m.Add(p.unit.of(x), w, trust)
}

// Halve halves all counts.
func (p *Positive) Halve() { p.m.Halve() }

// Fit fits the tail, and adapts the unit if the tail has left the range of buckets.
func (p *Positive) Fit(w float64) {
	p.m.Fit(w)
	j := p.m.side.tail.from
	if f := fits(int(j), j > 1); f != 1 && p.unit != 0 {
		p.unit = unit(p.unit * unit(f))
		p.m.side.shift(f)
		p.m.Fit(w)
	}
}
