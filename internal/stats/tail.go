// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package stats

import (
	"math"

	"github.com/auspex-otel/auspex/internal/exact"
)

// The tail of one side: beyond the threshold u, which tailShare of all points exceed, the values
// follow a generalized Pareto distribution, not in the residual x itself but in y = x^1.5,
//
//	P(Y > y | Y > y(u)) = (1 + ξ·(y - y(u))/σ)^(-1/ξ).
//
// The stretch brings normal noise nearer to its limit: the exponential tail that fits at u gives
// an 8 σ point p = 1e-8 in x, and 1e-11 in x^1.5 (the true value is 1e-15), while ξ still finds
// heavier tails. ξ is estimated by probability-weighted moments (Hosking and Wallis,
// Technometrics 29, 1987), shrunk toward a prior, which is heavier while few points are known,
// and kept above 0. So the surprise increases strictly, and as -ln p it cannot underflow.
const (
	tailShare   = 0.05 // of all points, per side
	priorShape  = 0.05 // of ξ, after many points
	youngShape  = 0.5  // added to it while there are no excesses
	youngUntil  = 10   // number of excesses at which half of it is added
	shapeWeight = 100  // weight of the prior shape, in excesses
	scaleWeight = 12   // weight of the prior scale, y(u)/2, in excesses
	minScale    = 0.25 // minimum of σ in y(u), because counts seem to end at the largest seen value
	minShape    = 0.005
	maxShape    = 0.8
	// recurring is the number of points at or beyond a residual from which it recurs. Fewer are
	// lone outliers.
	recurring = 2
)

// tail is the result of fit, which is not recomputed at each point. Residuals are in the unit of
// the histogram, σ in that of y.
type tail struct {
	from  uint8   // first bucket of the tail; its lower edge is the threshold u
	share float32 // share of all points beyond u
	sigma float32 // σ
	shape float32 // ξ
	far   float32 // the furthest recurring residual; +Inf if it is in the open bucket
}

// surprise returns -ln p, in nats, of an excess of y over y(u) for a generalized Pareto
// distribution. It increases strictly with y.
func (t *tail) surprise(y float64) float64 {
	xi := float64(t.shape)
	return exact.Log1p(xi*y/float64(t.sigma))/xi - exact.Log(float64(t.share))
}

// moments holds the integrals ∫S and ∫S² over the tail, where S is the share of the excesses
// beyond y. The mean excess is ∫S; the probability-weighted moment E[Y·(1-F(Y))] is ∫S²/2.
type moments struct{ s, s2 float64 }

// add adds one bucket of the given width, over which S decreases from a to b, exponentially
// between the edges.
func (m *moments) add(width, a, b float64) {
	if b < a/64 {
		b = a / 64
	}
	if a-b <= 1e-9*a { // also for a = 0
		m.s += float64(width * a)
		m.s2 += float64(width * a * a)
		return
	}
	slope := width / exact.Log(a/b)
	m.s += float64(slope * (a - b))
	m.s2 += slope * (float64(a*a) - float64(b*b)) / 2
}

// shapeScale converts the moments of n excesses over the threshold y(u) to ξ and σ.
//
//	ξ̂ = 2 - ∫S/(∫S - ∫S²),  ξ = (n·ξ̂ + w·ξ₀)/(n + w),  σ = (n·(1-ξ)·∫S + w'·y(u)/2)/(n + w')
func (m *moments) shapeScale(n, yu float64) (xi, sigma float64) {
	prior := priorShape + youngShape*youngUntil/(youngUntil+n)
	est := prior
	if m.s > m.s2 {
		est = clamp(2-m.s/(m.s-m.s2), -0.5, maxShape)
	}
	xi = clamp((float64(n*est)+float64(shapeWeight*prior))/(n+shapeWeight), minShape, maxShape)
	sigma = (float64(n*m.s*(1-xi)) + scaleWeight*yu/2) / (n + scaleWeight)
	return xi, sigma
}

// stretch returns y = x^1.5 for x ≥ 0.
func stretch(x float64) float64 { return float64(x * math.Sqrt(x)) }

func clamp(x, lo, hi float64) float64 { return max(lo, min(hi, x)) }
