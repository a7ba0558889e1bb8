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
	minOctave = -4
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

// side holds the points on one side of zero.
type side struct {
	count [buckets]float32
	tail  tail
}

// above returns the weight of the points at or beyond x.
func (s *side) above(x float64) float64 {
	j := bucketOf(x)
	var sum float32
	for _, c := range s.count[j+1:] {
		sum += c
	}
	lo := edgeOf(j)
	var part float64
	if j == openEdge {
		part = 1 / (1 + math.Log(x/lo))
	} else {
		part = 1 - (x-lo)/(edgeOf(j+1)-lo)
	}
	return float64(sum) + part*float64(s.count[j])
}

// Residuals ranks residuals, given in units of the series' scale, among those
// seen before: 64 buckets a side, forgotten with a half-life of HalfLife points.
// What is added counts for the tails from the next Fit on. Use NewResiduals.
type Residuals struct {
	side  [2]side // up, down
	total float64
}

// NewResiduals returns an empty one, which knows the prior only.
func NewResiduals() Residuals {
	var r Residuals
	r.Fit(1)
	return r
}

// pick returns x's side and its distance from zero.
func (r *Residuals) pick(x float64) (*side, float64) {
	if x < 0 {
		return &r.side[1], -x
	}
	return &r.side[0], math.Abs(x) // -0 is 0
}

// Add learns x with weight w.
func (r *Residuals) Add(x, w float64) {
	s, a := r.pick(x)
	s.count[bucketOf(a)] += float32(w)
	r.total += w
}

// Rescale multiplies all counts by f, as Weight.Next asks.
func (r *Residuals) Rescale(f float64) {
	r.total *= f
	for i := range r.side {
		for j := range r.side[i].count {
			r.side[i].count[j] *= float32(f)
		}
	}
}

// LogP returns ln p, p being twice the chance of a residual at or beyond x on
// the same side, at most 0. It falls strictly with |x| in the tail. unit is the
// weight of one point.
//
// Inside the threshold p is counted; beyond it the fitted tail speaks, unless
// enough points (c - 1.5·√c > 0) have been counted out there to say more.
func (r *Residuals) LogP(x, unit float64) float64 {
	s, a := r.pick(x)
	u := edgeOf(int(s.tail.from))
	if a < u {
		return min(0, math.Log(2*(s.above(a)+unit/2)/(r.total+unit)))
	}
	lp := s.tail.logP(stretch(a) - stretch(u))
	if c := s.above(a) / unit; c > 2.25 {
		lp = max(lp, math.Log((c-1.5*math.Sqrt(c))*unit/r.total))
	}
	return min(0, math.Ln2+lp)
}

// Band returns the residuals that BandShare of the points exceed below and above.
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
		r.side[i].fit(r.total, unit)
	}
}

// fit finds the threshold, the tail beyond it and the band.
func (s *side) fit(total, unit float64) {
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
	u := edgeOf(j)
	// The moments stop at the furthest residual that recurs: how far a lone
	// outlier lies says nothing about the others.
	var m moments
	beyond := mass
	for q := j; q <= min(far, openEdge-1); q++ {
		next := max(0, beyond-float64(s.count[q]))
		m.add(stretch(edgeOf(q+1))-stretch(edgeOf(q)), beyond/mass, next/mass)
		beyond = next
	}
	xi, sigma := m.shapeScale(mass/unit, stretch(u))
	s.tail = tail{from: uint8(j), share: float32((mass + unit/2) / (total + unit)), sigma: float32(sigma), shape: float32(xi)}
	s.tail.far = float32(edgeOf(far + 1))
	if far == openEdge {
		s.tail.far = float32(math.Inf(1))
	}
	s.tail.band = float32(s.quantile(BandShare))
	s.tail.sigma = max(s.tail.sigma, float32(minScale*stretch(u)))
}

// quantile returns the residual that the share p of all points exceed, p being
// less than tailShare; 0 if fewer lie on this side at all.
func (s *side) quantile(p float64) float64 {
	if p < float64(s.tail.share) {
		return shrink(stretch(edgeOf(int(s.tail.from))) + s.tail.quantile(p))
	}
	return 0
}
