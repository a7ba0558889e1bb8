// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package stats

import "math"

// BandShare is the share of points that lie beyond the band on each side.
const BandShare = 0.005

// The buckets of one side: bucket 0 holds [0, 2^minOctave), then four buckets
// an octave, and the last is open. Edges are 1, 1.25, 1.5 and 1.75 times a power
// of two, so that a bucket's number stands in the top bits of a float64.
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

// stretched are the stretched edges.
var stretched = func() (y [buckets]float64) {
	for j := range y {
		y[j] = stretch(edgeOf(j))
	}
	return y
}()

// side holds the points on one side of zero.
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
		part = 1 / (1 + math.Log(x/lo))
	} else {
		part = 1 - (x-lo)/(edgeOf(j+1)-lo)
	}
	return float64(beyond) + part*float64(s.count[j])
}

func (s *side) add(x float64, w uint16) {
	s.total += add(&s.count[bucketOf(x)], w)
}

func (s *side) halve() { s.total = halve(s.count[:]) }

// share returns the share of total points that lie at or beyond x, if x is
// inside the threshold; else ok is false, and logTail speaks.
func (s *side) share(x, total, unit float64) (p float64, ok bool) {
	if bucketOf(x) >= int(s.tail.from) {
		return 0, false
	}
	return (s.above(x) + unit/2) / (total + unit), true
}

// logTail returns ln p of a value at or beyond x, which is beyond the threshold,
// among total points in all: as the fitted tail has it, unless enough points
// (c - 1.5·√c > 0) have been counted out there to say more.
func (s *side) logTail(x, total, unit float64) float64 {
	from := int(s.tail.from)
	lp := s.tail.logP(stretch(x) - stretched[from])
	if x < float64(s.tail.far) {
		if c := s.above(x) / unit; c > 2.25 {
			lp = max(lp, math.Log((c-1.5*math.Sqrt(c))*unit/total))
		}
	}
	return lp
}

// Residuals ranks residuals, given in units of the series' scale, among those
// seen before: 64 buckets a side, forgotten with a half-life of HalfLife points.
// What is added counts for the tails from the next Fit on. Use NewResiduals.
type Residuals struct {
	n    float64 // weight of all points
	side [2]side // up, down
}

// NewResiduals returns an empty one, which knows the prior only.
func NewResiduals() Residuals {
	var r Residuals
	r.FitBand(1)
	return r
}

// sum counts all points anew.
func (r *Residuals) sum() { r.n = float64(r.side[0].total + r.side[1].total) }

// pick returns x's side and its distance from zero.
func (r *Residuals) pick(x float64) (*side, float64) {
	if x < 0 {
		return &r.side[1], -x
	}
	return &r.side[0], math.Abs(x) // -0 is 0
}

// Add learns x, a point of the given weight, as far as it is trusted, 0 to 1.
func (r *Residuals) Add(x, unit, trust float64) {
	s, a := r.pick(x)
	before := s.total
	s.add(a, whole(unit, trust))
	r.n += float64(s.total - before)
}

// Halve halves all counts, as Weight.Next asks.
func (r *Residuals) Halve() {
	r.side[0].halve()
	r.side[1].halve()
	r.sum()
}

// LogP returns ln p, p being twice the chance of a residual at or beyond x on
// the same side, at most 0. It falls strictly with |x| in the tail. unit is the
// weight of one point.
func (r *Residuals) LogP(x, unit float64) float64 {
	p, l := r.P(x, unit)
	return min(0, math.Log(p)+l)
}

// P returns a factor p and an addend l such that LogP is ln p + l: where p was
// counted l is 0, so that many p's take one logarithm together.
func (r *Residuals) P(x, unit float64) (p, l float64) {
	s, a := r.pick(x)
	if p, ok := s.share(a, r.n, unit); ok {
		return min(1, 2*p), 0
	}
	return 1, math.Ln2 + s.logTail(a, r.n, unit)
}

// Band returns the residuals that BandShare of the points exceed below and
// above, as of the latest FitBand.
func (r *Residuals) Band() (lower, upper float64) {
	return -float64(r.side[1].tail.band), float64(r.side[0].tail.band)
}

// Far returns how far out on x's side residuals recur; +Inf if there is no limit.
func (r *Residuals) Far(x float64) float64 {
	s, _ := r.pick(x)
	return float64(s.tail.far)
}

// Fit fits both tails anew: O(buckets).
func (r *Residuals) Fit(unit float64) {
	for i := range r.side {
		r.side[i].fit(r.n, unit, false)
	}
}

// FitBand fits the tails, and the band with them.
func (r *Residuals) FitBand(unit float64) {
	for i := range r.side {
		r.side[i].fit(r.n, unit, true)
	}
}

// Magnitudes ranks values that are never negative among those seen before, as
// Residuals does. Use NewMagnitudes.
type Magnitudes struct {
	side side
}

// NewMagnitudes returns an empty one, which knows the prior only.
func NewMagnitudes() Magnitudes {
	var m Magnitudes
	m.Fit(1)
	return m
}

// Add learns x ≥ 0, a point of the given weight, as far as it is trusted, 0 to 1.
func (m *Magnitudes) Add(x, unit, trust float64) { m.side.add(x, whole(unit, trust)) }

// Halve halves all counts, as Weight.Next asks.
func (m *Magnitudes) Halve() { m.side.halve() }

// LogP returns ln p, p being the chance of a value at or beyond x, at most 0.
func (m *Magnitudes) LogP(x, unit float64) float64 {
	p, l := m.P(x, unit)
	return min(0, math.Log(p)+l)
}

// P is that of Residuals.
func (m *Magnitudes) P(x, unit float64) (p, l float64) {
	total := float64(m.side.total)
	if p, ok := m.side.share(x, total, unit); ok {
		return min(1, p), 0
	}
	return 1, m.side.logTail(x, total, unit)
}

// Fit fits the tail anew: O(buckets).
func (m *Magnitudes) Fit(unit float64) { m.side.fit(float64(m.side.total), unit, false) }

// fit finds the threshold and the tail beyond it, and the band if that is wanted.
func (s *side) fit(total, unit float64, band bool) {
	need, few := tailShare*total, recurring*unit
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
	// The moments stop at the furthest residual that recurs: how far a lone
	// outlier lies says nothing about the others.
	var m moments
	beyond := mass
	for q := j; q <= min(far, openEdge-1); q++ {
		next := max(0, beyond-float64(s.count[q]))
		m.add(stretched[q+1]-stretched[q], beyond/mass, next/mass)
		beyond = next
	}
	xi, sigma := m.shapeScale(mass/unit, yu)
	s.tail = tail{from: uint8(j), share: float32((mass + unit/2) / (total + unit)), sigma: float32(sigma), shape: float32(xi), band: s.tail.band}
	s.tail.far = float32(edgeOf(far + 1))
	if far == openEdge {
		s.tail.far = float32(math.Inf(1))
	}
	if band {
		s.tail.band = float32(s.quantile(BandShare))
	}
	s.tail.sigma = max(s.tail.sigma, float32(minScale*yu))
}

// quantile returns the residual that the share p of all points exceed, p being
// less than tailShare; 0 if fewer lie on this side at all.
func (s *side) quantile(p float64) float64 {
	if p < float64(s.tail.share) {
		return shrink(stretched[s.tail.from] + s.tail.quantile(p))
	}
	return 0
}
