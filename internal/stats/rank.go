// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package stats

import "math"

// The buckets of a rank: rankWidth nats each, the last one open.
const (
	rankBuckets = 32
	rankWidth   = 0.4
	rankOpen    = rankBuckets - 1
	rankShare   = 0.02 // beyond the point that this share exceeds, the tail is exponential
	rankWeight  = 10   // excesses that the prior slope, 1, is worth
	rankPrior   = 50   // points that the prior distribution is worth at the start
)

// Rank turns a surprise s = -ln p that is not calibrated, because it combines
// several, into one that is: by its rank among those seen before. Beyond the
// counted body ln p falls linearly, with a slope estimated from the excesses
// and shrunk to 1. Use NewRank.
type Rank struct {
	count [rankBuckets]float32
	total float64
	from  uint8   // first bucket of the tail
	share float32 // share of all points beyond its lower edge
	mean  float32 // mean excess in nats: the inverse slope
}

// NewRank returns a rank that expects the larger of two independent surprises,
// P(S < s) = (1 - e^-s)², until it has seen better.
func NewRank() Rank {
	var r Rank
	prev := 0.0
	for j := range r.count {
		f := 1.0
		if j < rankOpen {
			f = math.Pow(1-math.Exp(-rankWidth*float64(j+1)), 2)
		}
		r.count[j] = float32(rankPrior * (f - prev))
		prev = f
	}
	r.total = rankPrior
	r.Fit(1)
	return r
}

func rankBucket(s float64) int { return int(min(s/rankWidth, rankOpen)) }

// Add learns the surprise s ≥ 0 with weight w.
func (r *Rank) Add(s, w float64) {
	r.count[rankBucket(s)] += float32(w)
	r.total += w
}

// Rescale multiplies all counts by f, as Weight.Next asks.
func (r *Rank) Rescale(f float64) {
	r.total *= f
	for j := range r.count {
		r.count[j] *= float32(f)
	}
}

// LogP returns ln p for the surprise s ≥ 0, at most 0 and strictly falling in the tail.
// unit is the weight of one point.
func (r *Rank) LogP(s, unit float64) float64 {
	j := rankBucket(s)
	if j >= int(r.from) {
		y := s - rankWidth*float64(r.from)
		return math.Log(float64(r.share)) - y/float64(r.mean)
	}
	var above float32
	for _, c := range r.count[j+1:] {
		above += c
	}
	part := float64(j+1) - s/rankWidth
	return min(0, math.Log((float64(above)+part*float64(r.count[j])+unit/2)/(r.total+unit)))
}

// Fit finds the tail anew: O(buckets). unit is the weight of one point.
//
// With S the share of the excesses beyond y, and the open bucket from y₀ on, an
// exponential tail has the mean excess ∫₀^y₀ S / (1 - S(y₀)).
func (r *Rank) Fit(unit float64) {
	var mass float64
	j := rankOpen
	for ; ; j-- {
		mass += float64(r.count[j])
		if mass >= rankShare*r.total || j == 1 {
			break
		}
	}
	var m moments
	beyond := mass
	for q := j; q < rankOpen; q++ {
		next := max(0, beyond-float64(r.count[q]))
		m.add(rankWidth, beyond/mass, next/mass)
		beyond = next
	}
	n, mean := mass/unit, 1.0
	if beyond < mass/2 {
		mean = m.s / (1 - beyond/mass)
	}
	r.from = uint8(j)
	r.share = float32((mass + unit/2) / (r.total + unit))
	r.mean = float32((n*mean + rankWeight) / (n + rankWeight))
}
