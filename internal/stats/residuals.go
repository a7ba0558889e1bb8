// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package stats

import (
	"math"

	"github.com/auspex-otel/auspex/internal/exact"
)

// The buckets of one side: bucket 0 is [0, 2^minOctave), then there are four buckets per octave,
// and the last is open. Edges are 1, 1.25, 1.5, and 1.75 times a power of two, so that the top
// bits of a float64 are the bucket's number.
const (
	buckets   = 64
	minOctave = -6
	edgeShift = 50
	edgeBase  = (1023+minOctave)<<2 - 1
	openEdge  = buckets - 1
)

// bucketOf returns the bucket of x ≥ 0.
func bucketOf(x float64) int {
	return max(0, min(openEdge, int(math.Float64bits(x)>>edgeShift)-edgeBase))
}

// edgeOf returns the lower edge of bucket j.
func edgeOf(j int) float64 {
	if j == 0 {
		return 0
	}
	return math.Float64frombits(uint64(j+edgeBase) << edgeShift)
}

// stretched holds the stretched edges.
var stretched = func() (y [buckets]float64) {
	for j := range y {
		y[j] = stretch(edgeOf(j))
	}
	return y
}()

// side holds the counts of points.
type side struct {
	count [buckets]uint16
	total uint32
	tail  tail
}

// above returns the weight of the points at or beyond x.
func (s *side) above(x float64) float64 {
	j := bucketOf(x)
	var beyond uint32
	if j < buckets/2 {
		beyond = s.total - sum(s.count[:j+1])
	} else {
		beyond = sum(s.count[j+1:])
	}
	lo := edgeOf(j)
	var part float64
	if j == openEdge {
		part = 1 / (1 + exact.Log(x/lo))
	} else {
		part = 1 - (x-lo)/(edgeOf(j+1)-lo)
	}
	return float64(beyond) + float64(part*float64(s.count[j]))
}

func (s *side) add(x float64, w uint16) {
	s.total += add(&s.count[bucketOf(x)], w)
}

func (s *side) halve() { s.total = halve(s.count[:]) }

// share returns the share of the points at or beyond x if x is inside the threshold. Otherwise ok
// is false, and beyond applies.
func (s *side) share(x, total, unit float64) (p float64, ok bool) {
	if bucketOf(x) >= int(s.tail.from) {
		return 0, false
	}
	return (s.above(x) + unit/2) / (total + unit), true
}

// beyond returns the surprise, in nats, of a value at or beyond x, which is beyond the threshold,
// among total points. It is that of the fitted tail, unless enough points (c - 1.5·√c > 0) at or
// beyond x prove a smaller one.
func (s *side) beyond(x, total, unit float64) float64 {
	from := int(s.tail.from)
	nats := s.tail.surprise(stretch(x) - stretched[from])
	if x < float64(s.tail.far) {
		if c := s.above(x) / unit; c > 2.25 {
			nats = min(nats, -exact.Log((c-float64(1.5*math.Sqrt(c)))*unit/total))
		}
	}
	return nats
}

// Magnitudes ranks nonnegative values, in units of a scale, among past values: 64 buckets,
// forgotten with a half-life of HalfLife points. Added values affect the tail from the next Fit
// on. Use NewMagnitudes.
type Magnitudes struct {
	side side
}

// NewMagnitudes returns empty magnitudes with only the prior.
func NewMagnitudes() Magnitudes {
	var m Magnitudes
	m.Fit(1)
	return m
}

// Add learns x ≥ 0 with the given weight and a trust of 0 to 1.
func (m *Magnitudes) Add(x, unit, trust float64) { m.side.add(x, whole(unit, trust)) }

// Halve halves all counts, as required by Weight.Next.
func (m *Magnitudes) Halve() { m.side.halve() }

// Surprise returns -ln p in nats, at least 0, where p is the probability of a value at or beyond
// x.
func (m *Magnitudes) Surprise(x, unit float64) float64 {
	p, nats := m.P(x, unit)
	return max(0, nats-exact.Log(p))
}

// P returns a factor p and an addend nats such that Surprise is nats - ln p. If p was counted,
// nats is 0, so that the product of many p needs one logarithm. unit is the weight of one point.
func (m *Magnitudes) P(x, unit float64) (p, nats float64) {
	total := float64(m.side.total)
	if p, ok := m.side.share(x, total, unit); ok {
		return min(1, p), 0
	}
	return 1, m.side.beyond(x, total, unit)
}

// Fit fits the tail to the current counts in O(buckets).
func (m *Magnitudes) Fit(unit float64) { m.side.fit(float64(m.side.total), unit) }

// fit finds the threshold and the tail beyond it.
func (s *side) fit(total, unit float64) {
	need, few := float64(tailShare*total), float64(recurring*unit)
	var mass float64
	j, far := openEdge, 0
	for ; ; j-- {
		mass += float64(s.count[j])
		if far == 0 && mass >= few {
			far = j
		}
		if mass >= need || j == 1 {
			break
		}
	}
	yu := stretched[j]
	// The moments end at the furthest recurring residual, because the distance of a lone outlier
	// is no evidence for others.
	var m moments
	beyond := mass
	for q := j; q <= min(far, openEdge-1); q++ {
		next := max(0, beyond-float64(s.count[q]))
		m.add(stretched[q+1]-stretched[q], beyond/mass, next/mass)
		beyond = next
	}
	xi, sigma := m.shapeScale(mass/unit, yu)
	s.tail = tail{from: uint8(j), share: float32((mass + unit/2) / (total + unit)), sigma: float32(sigma), shape: float32(xi)}
	s.tail.far = float32(edgeOf(far + 1))
	if far == openEdge {
		s.tail.far = float32(math.Inf(1))
	}
	s.tail.sigma = max(s.tail.sigma, float32(minScale*yu))
}
