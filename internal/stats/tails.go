// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package stats

import (
	"math"

	"github.com/auspex-otel/auspex/internal/exact"
	"github.com/auspex-otel/auspex/internal/state"
)

const (
	bodyShare = 0.4  // of the points of one side exceed its body point
	edgeShare = 0.08 // of the points of one side exceed its edge
	// memoryPoints bounds the number of points in the shares.
	memoryPoints = 4000
	// slowest is the time constant of a mature body point and edge, in points of one side.
	slowest = 750
	// meanPoints is the number of points of one side up to which its marks follow their mean.
	meanPoints = 16
	// stiff is the minimum time constant of a sketch that adapts slowly.
	stiff = 64
	// leastPoints is the minimum number of points for a surprise.
	leastPoints = 40
	leastScaled = 16 // for a quantity in standard deviations
	// leastKnown is below ln n of any sketch whose P is not neutral: ln 17 = 2.83.
	leastKnown = 2.8
	// Prior shape ξ of the tail, its weight in excesses, and bounds of the estimate.
	shapePrior, shapePoints, leastXi, mostXi = 0.1, 100, -0.05, 0.4
	stiffShape                               = 0.08 // prior shape of a stiff sketch: a mean of many numbers has a lighter tail
	// wildExcess bounds one excess, in mean excesses.
	wildExcess = 6
	// floorShare is the minimum of the marks of a quantity in standard deviations, as a ratio of
	// the marks of white noise. It prevents a quiet hour from making noise surprising.
	floorShare = 0.6
	// modestSlope is the weight of each nat beyond ln n for n known points.
	modestSlope = 0.38
	// neutral is the surprise in nats while too little is known.
	neutral = 0.7
)

var (
	bodyNats = -exact.Log(bodyShare)
	edgeNats = -exact.Log(edgeShare)
)

// Tails is a bounded sketch of the distance of a quantity from zero, separately for each side, in
// 64 bytes. For each side it holds the share of points, the value that 40 % of them exceed (the
// body point), the value that 8 % exceed (the edge), and a generalized Pareto tail beyond the
// edge.
//
// The two marks follow their shares by stochastic approximation in the logarithm (Robbins and
// Monro 1951), so that they adapt to any size and a factor of two changes no bit. The shape ξ of
// the tail follows from the mean excess m and the mean w of the lesser of two successive
// excesses, ξ = (m/w - 2)/(m/w - 1). These are the probability-weighted moments of Hosking and
// Wallis (1987), computed online.
//
// Use NewTails.
type Tails struct {
	n     float32 // number of points, at most memoryPoints
	sigma float32 // standard deviation under white noise; 0 for a quantity with a unit
	least float32 // minimum time constant of the marks, in points of one side
	side  [2]tailSide
}

type tailSide struct {
	share, n           float32 // share of all points; points of this side, at most memoryPoints/2
	body, edge         float32
	excess, pair, last float32 // means over the excesses, and the latest excess
}

// NewTails returns a sketch of a quantity with standard deviation sigma under white noise, or of
// a quantity with a unit if sigma is 0.
func NewTails(sigma float64) Tails { return Tails{sigma: float32(sigma), least: meanPoints} }

// NewStiffTails returns a sketch that starts from white noise and adapts slowly. It is for a
// quantity with few values, which must not become normal too soon.
func NewStiffTails(sigma float64) Tails { return Tails{sigma: float32(sigma), least: stiff} }

// P returns the surprise of x in nats: -ln of the probability of a value at least as far out on
// x's side. Beyond ln n, for n known points, each nat counts modestSlope, because the tail there
// is extrapolated.
func (t *Tails) P(x float64) float64 {
	nats := t.Fitted(x)
	if nats <= leastKnown || t.unknown() { // avoids the logarithm for most points
		return nats
	}
	if known := exact.Log(float64(t.n) + 1); nats > known {
		nats = known + float64(modestSlope*(nats-known))
	}
	return nats
}

// usualShare is the least share of a side whose points within the edge have less than UsualNats: edgeNats and the
// logarithm of the share make 6.99.
const usualShare = 0.0115

// UsualNats bounds the surprise of a usual quantity.
const UsualNats = 7

// Usual reports whether P(x) and Fitted(x) are certainly below UsualNats. It takes no logarithm, and is true for most
// points.
func (t *Tails) Usual(x float64) bool {
	s := &t.side[0]
	if x < 0 {
		s, x = &t.side[1], -x
	}
	return x <= float64(s.edge) && s.share >= usualShare || t.unknown()
}

// Fitted returns the surprise of x in nats from the fitted tail.
func (t *Tails) Fitted(x float64) float64 {
	if t.unknown() {
		return neutral
	}
	if x == 0 {
		return 0
	}
	s := &t.side[0]
	if x < 0 {
		s, x = &t.side[1], -x
	}
	n := float64(t.n)
	nats := -exact.Log((float64(float64(s.share)*n) + 1) / (n + 2))
	if s.n >= 4 && s.body > 0 {
		nats += s.beyond(x, t.priorShape())
	}
	return nats
}

// unknown reports whether too little is known for any surprise.
func (t *Tails) unknown() bool { return t.n < leastPoints && (t.n < leastScaled || t.sigma == 0) }

// beyond returns the surprise of x > 0 among the points of its side.
func (s *tailSide) beyond(x, prior float64) float64 {
	body, edge := float64(s.body), float64(s.edge)
	switch {
	case x < body:
		return bodyNats * x / body
	case x < edge:
		return bodyNats + (edgeNats-bodyNats)*(x-body)/(edge-body)
	}
	xi := s.shape(prior)
	y := (x - edge) / (max(leastExcess, float64(s.excess)) * (1 - xi))
	if math.Abs(xi) < 0.01 {
		return edgeNats + min(y, mostNats)
	}
	if z := 1 + float64(xi*y); z > 0 {
		return edgeNats + min(exact.Log(z)/xi, mostNats)
	}
	return edgeNats + mostNats
}

const (
	mostNats    = 60    // bound of a surprise among the points of one side
	leastExcess = 1e-30 // minimum of a mean excess and of a learned value, against overflow
	mostValue   = 1e30
)

func (s *tailSide) shape(prior float64) float64 {
	xi := -0.5
	if r := float64(s.excess) / float64(s.pair); r > 1.5 {
		xi = max(xi, min(0.8, (r-2)/(r-1)))
	}
	n := float64(float64(s.n) * edgeShare)
	return max(leastXi, min(mostXi, (float64(xi*n)+float64(prior*shapePoints))/(n+shapePoints)))
}

// Learn adds x with a trust of 0 to 1.
func (t *Tails) Learn(x, trust float64) {
	if t.n < memoryPoints {
		t.n++
	}
	g := float32(trust) / t.n
	t.side[0].share -= float32(g * t.side[0].share)
	t.side[1].share -= float32(g * t.side[1].share)
	if x == 0 {
		return
	}
	s := &t.side[0]
	if x < 0 {
		s, x = &t.side[1], -x
	}
	x = min(x, mostValue)
	s.share += g
	if s.n < memoryPoints/2 {
		s.n++
	}
	if s.n == 1 && t.least > meanPoints {
		s.body, s.edge, s.excess, s.pair, s.last = float32(0.84*t.sigma), float32(1.75*t.sigma), float32(0.43*t.sigma), float32(0.2*t.sigma), float32(0.43*t.sigma)
	}
	if s.n < meanPoints && t.least <= meanPoints {
		mean := x
		if s.n > 1 {
			mean = float64(s.body) / 0.8
			mean += (x - mean) / float64(s.n)
		}
		s.body, s.edge, s.excess, s.pair, s.last = float32(0.8*mean), float32(2.4*mean), float32(0.8*mean), float32(0.4*mean), float32(0.8*mean)
		return
	}
	s.learn(float32(x), float32(trust), t.least)
	if t.sigma > 0 {
		s.edge = max(s.edge, float32(floorShare*1.75*t.sigma))
		s.excess = max(s.excess, float32(floorShare*0.43*t.sigma))
		s.pair = max(s.pair, float32(floorShare*0.2*t.sigma))
	}
	s.edge = max(s.edge, float32(1.2*s.body))
}

// learn updates the marks of a side with at least meanPoints points.
func (s *tailSide) learn(x, trust, least float32) {
	constant := min(slowest, max(least, s.n/2)) // points
	pace := trust / constant
	body, edge := min(0.3, pace/(1.2*bodyShare)), min(0.5, pace/(3*edgeShare))
	if x > s.body {
		s.body = float32(s.body * (1 + float32(body*(1-bodyShare))))
	} else {
		s.body = float32(s.body * (1 - float32(body*bodyShare)))
	}
	if x <= s.edge {
		s.edge = float32(s.edge * (1 - float32(edge*edgeShare)))
		return
	}
	e := min(x-s.edge, float32(wildExcess*s.excess))
	g := trust / (float32(constant*edgeShare*1.5) + 6)
	s.excess += float32(g * (e - s.excess))
	s.pair += float32(g * (min(e, s.last) - s.pair))
	s.last = e
	s.edge = float32(s.edge * (1 + float32(edge*(1-edgeShare))))
}

// Filling reports whether fewer than memoryPoints points are known.
func (t *Tails) Filling() bool { return t.n < memoryPoints }

// priorShape returns the prior shape ξ of the tail. A stiff sketch is of a mean of many numbers,
// which has a light tail.
func (t *Tails) priorShape() float64 {
	if t.least > meanPoints {
		return stiffShape
	}
	return shapePrior
}

// Young reports whether too little is known for P.
func (t *Tails) Young() bool { return t.n < leastPoints }

// Soften makes the sketch adapt as fast as one with n points, because its past is of another
// kind.
func (t *Tails) Soften(n float64) {
	t.n = min(t.n, float32(n))
	for i := range t.side {
		t.side[i].n = min(t.side[i].n, float32(n)/2)
	}
}

// Quantile returns the distance from zero, on the side +1 or -1, that points exceed with the
// total surprise nats, -ln p. It returns 0 while too little is known.
func (t *Tails) Quantile(side int, nats float64) float64 {
	s := &t.side[0]
	if side < 0 {
		s = &t.side[1]
	}
	nats += exact.Log(max(1e-6, float64(s.share)))
	body, edge := float64(s.body), float64(s.edge)
	switch {
	case s.n < 4 || nats <= 0:
		return 0
	case nats < bodyNats:
		return body * nats / bodyNats
	case nats < edgeNats:
		return body + (edge-body)*(nats-bodyNats)/(edgeNats-bodyNats)
	}
	xi := s.shape(t.priorShape())
	y := nats - edgeNats
	if math.Abs(xi) >= 0.01 {
		y = exact.Expm1(float64(xi*y)) / xi
	}
	return edge + float64(y*float64(s.excess)*(1-xi))
}

// State writes or reads the sketch. sigma is not part of it.
func (t *Tails) State(c *state.Codec) {
	c.Float32(&t.n)
	c.Check(t.n >= 0 && t.n <= memoryPoints)
	for i := range t.side {
		s := &t.side[i]
		for _, v := range [...]*float32{&s.share, &s.n, &s.body, &s.edge, &s.excess, &s.pair, &s.last} {
			c.Float32(v)
			c.Check(*v >= 0 && *v <= 1e37)
		}
		c.Check(s.share <= 1 && s.n <= memoryPoints/2 && s.body <= s.edge)
	}
}
