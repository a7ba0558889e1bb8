// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package stats

import "math"

// The buckets of a rank: rankWidth nats each, the last one open.
const (
	rankBuckets = 32
	rankWidth   = 0.4
	rankOpen    = rankBuckets - 1
	rankShare   = 0.01 // beyond the point that this share exceeds, a fitted tail speaks
	rankWeight  = 20   // excesses that the prior scale is worth
	rankPrior   = 50   // points that the prior distribution is worth at the start
	rankTail    = 0.05 // prior of the shape ξ: what combines several surprises has a heavier tail than each
	rankShape   = 100  // excesses that it is worth
	maxRankTail = 0.5
)

// Rank turns a surprise s = -ln p that is not calibrated, because it combines
// several, into one that is: by its rank among those seen before. Beyond the
// counted body a fitted tail speaks. Use NewRank.
type Rank struct {
	count [rankBuckets]uint16
	total uint32
	from  uint8   // first bucket of the tail
	share float32 // share of all points beyond its lower edge
	sigma float32 // σ of the excesses, in nats
	shape float32 // ξ
}

// NewRank returns a rank that expects P(S > s) = e^(-s/mean) until it has seen better.
func NewRank(mean float64) Rank {
	var r Rank
	prev := 0.0
	for j := range r.count {
		f := 1.0
		if j < rankOpen {
			f = 1 - math.Exp(-rankWidth*float64(j+1)/mean)
		}
		r.count[j] = uint16(rankPrior*leastUnit*(f-prev) + 0.5)
		r.total += uint32(r.count[j])
		prev = f
	}
	r.Fit(leastUnit, mean)
	return r
}

func rankBucket(s float64) int { return int(min(s/rankWidth, rankOpen)) }

// Add learns the surprise s ≥ 0, a point of the given weight, as far as it is trusted, 0 to 1.
func (r *Rank) Add(s, unit, trust float64) {
	r.total += add(&r.count[rankBucket(s)], whole(unit, trust))
}

// Halve halves all counts, as Weight.Next asks.
func (r *Rank) Halve() { r.total = halve(r.count[:]) }

// LogP returns ln p for the surprise s ≥ 0, at most 0 and strictly falling in the tail.
// unit is the weight of one point.
func (r *Rank) LogP(s, unit float64) float64 {
	j := rankBucket(s)
	if j >= int(r.from) {
		y := s - rankWidth*float64(r.from)
		return paretoLogP(r.share, r.sigma, r.shape, y)
	}
	above := sum(r.count[j+1:])
	part := float64(j+1) - s/rankWidth
	return min(0, math.Log((float64(above)+part*float64(r.count[j])+unit/2)/(float64(r.total)+unit)))
}

// Fit finds the tail anew: O(buckets). unit is the weight of one point, prior
// the mean excess, in nats, that few excesses are shrunk to.
//
// The excesses follow a generalised Pareto distribution, estimated by its
// probability-weighted moments, as the tail of a side does.
func (r *Rank) Fit(unit, prior float64) {
	total := float64(r.total)
	var mass float64
	j := rankOpen
	for ; ; j-- {
		mass += float64(r.count[j])
		if mass >= rankShare*total || j == 1 {
			break
		}
	}
	var m moments
	beyond := mass
	for q := j; q < rankOpen && beyond > 0; q++ {
		next := max(0, beyond-float64(r.count[q]))
		m.add(rankWidth, beyond/mass, next/mass)
		beyond = next
	}
	n, est := mass/unit, rankTail
	if m.s > m.s2 {
		est = clamp(2-m.s/(m.s-m.s2), -0.5, maxRankTail)
	}
	xi := clamp((n*est+rankShape*rankTail)/(n+rankShape), minShape, maxRankTail)
	r.from = uint8(j)
	r.share = float32((mass + unit/2) / (total + unit))
	r.sigma = float32((n*m.s + rankWeight*prior) / (n + rankWeight) * (1 - xi))
	r.shape = float32(xi)
}
