// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"math"
	"slices"
	"time"
)

const (
	rampSlots  = 240 // length of the longest ramp
	rampStride = 8   // slots between two evaluated starts of ramps
	rampStarts = rampSlots / rampStride
)

// oracle has the parameters of the series: center, σ, φ, tail, tries, and the share of missing points. It evaluates
// the likelihood ratio of every kind of fault, size, and length, and subtracts the logarithm of their number:
//
//	score = max over h of ln L(points | h) / L(points | no fault) - ln N(h)
//
// It has no information about whether, when, and which fault occurs. If the effect of a fault on a slot does not
// depend on its start, the maximum over the starts is a recursion (Page's CUSUM). Ramps are evaluated at every eighth
// start.
type oracle struct {
	*knowledge

	evidence evidence
	slot     int // the next one
	last     int // slot of the last point, -1 for none
	missed   int // slots without a point since the last one
	sums     []float64
	flat     float64
	ramps    []float64 // by slope and start
}

// knowledge holds the parameters of a series. Clones of an oracle share it.
type knowledge struct {
	s      *series
	spikes []float64 // σ
	steady []steady
	slopes []float64 // σ per slot
	costs  costs
	lost   float64 // probability that a point is missing
	torn   float64 // probability of a restart per slot
}

// steady is a fault whose effect on a slot does not depend on its start.
type steady struct {
	level float64   // σ
	curve []float32 // σ by slot, instead of level
	gain  float64   // of the innovations
	ends  bool      // where the curve is 0
	cost  float64
}

func (h *steady) at(i int) float64 {
	if h.curve != nil {
		return float64(h.curve[i])
	}
	return h.level
}

// costs holds ln N of the faults that are not steady.
type costs struct{ spike, ramp, flat, silence float64 }

// kindsOfFaults is the number of kinds that share the correction.
const kindsOfFaults = 9

// newOracle lists the faults that the series can have.
func newOracle(s *series) Detector {
	k := &knowledge{s: s, lost: s.family.options.Missing, torn: s.family.options.Restarts * float64(s.cadence) / float64(week)}
	not := kinds[s.family.Kind].not
	for _, size := range s.sizes {
		k.spikes = append(k.spikes, size)
		k.slopes = append(k.slopes, size/60)
		if !slices.Contains(not, "level down") {
			k.spikes = append(k.spikes, -size)
		}
		if s.trend != 0 {
			k.slopes = append(k.slopes, -math.Copysign(size/30, s.trend))
		}
	}
	number := func(variants, lengths int) float64 { return math.Log(float64(kindsOfFaults * variants * lengths)) }
	k.costs = costs{number(len(k.spikes), 1), number(len(k.slopes), rampSlots), number(1, 60), number(1, 60)}
	for _, level := range k.spikes {
		k.steady = append(k.steady, steady{level: level, gain: 1, cost: number(len(k.spikes), 120)})
	}
	for _, size := range s.sizes {
		if !slices.Contains(not, "variance up") {
			k.steady = append(k.steady, steady{gain: size, cost: number(2*len(s.sizes), 120)})
		}
		if !slices.Contains(not, "variance down") {
			k.steady = append(k.steady, steady{gain: 1 / size, cost: number(2*len(s.sizes), 120)})
		}
	}
	for _, group := range k.curves() {
		for _, curve := range group {
			k.steady = append(k.steady, steady{curve: curve, gain: 1, ends: true, cost: number(len(group), seasonSlots(s))})
		}
	}
	return &oracle{
		knowledge: k, evidence: evidenceOf(s), last: -1,
		sums: make([]float64, len(k.steady)), ramps: slices.Repeat([]float64{math.Inf(-1)}, len(k.slopes)*rampStarts),
	}
}

// curves returns the effects of changed seasons and missing peaks on each slot, in σ, by kind.
func (k *knowledge) curves() (groups [][][]float32) {
	s := k.s
	curve := func(of func(i int) float64) []float32 {
		c := make([]float32, s.slots())
		for i := range c {
			c[i] = float32(of(i) / s.sigma)
		}
		return c
	}
	if s.season != nil {
		var late, shape [][]float32
		for _, minutes := range [...]int64{10, 20, 40, 80, 160, 240, 360} {
			late = append(late, curve(func(i int) float64 { return s.season.at(s.at[i]-minutes*int64(time.Minute)) - s.seasonal[i] }))
		}
		two := make([]float64, s.slots())
		for i, t := range s.at {
			two[i] = s.season.twoPeaks(t)
		}
		for _, share := range [...]float64{0.1, 0.2, 0.4, 0.8} {
			shape = append(shape, curve(func(i int) float64 { return share * (two[i] - s.seasonal[i]) }))
		}
		groups = append(groups, late, shape)
	}
	tops := make([]float64, s.slots()/s.perDay()+1) // by day
	for i, x := range s.seasonal {
		tops[i/s.perDay()] = max(tops[i/s.perDay()], x)
	}
	var cut [][]float32
	for _, size := range s.sizes {
		if slices.Max(tops) < size*s.sigma {
			continue
		}
		cut = append(cut, curve(func(i int) float64 {
			limit := tops[i/s.perDay()] - size*s.sigma
			if limit < -1e-9*s.sigma {
				return 0
			}
			return min(0, limit-s.seasonal[i])
		}))
	}
	if len(cut) > 0 {
		groups = append(groups, cut)
	}
	return groups
}

func (o *oracle) Observe(_ int64, v float64) float64 {
	i := o.slot
	o.slot++
	o.missed = 0
	best := 0.0
	if o.evidence.see(i, v) {
		best = max(o.abrupt(), o.lasting(i), o.ramping(i))
	}
	o.evidence.keep()
	o.last = i
	return best
}

// abrupt returns the evidence for a spike or a repeated value.
func (o *oracle) abrupt() float64 {
	best := 0.0
	for _, sigmas := range o.spikes {
		best = max(best, o.evidence.spike(sigmas)-o.costs.spike)
	}
	o.flat = max(0, o.flat+o.evidence.flat())
	return max(best, o.flat-o.costs.flat)
}

// lasting returns the evidence for a steady fault that has lasted until slot i.
func (o *oracle) lasting(i int) float64 {
	best := 0.0
	for j := range o.steady {
		h := &o.steady[j]
		now, before := h.at(i), h.at(o.last)
		if h.ends && now == 0 {
			o.sums[j] = 0
			continue
		}
		starts := o.evidence.ratio(now, 0, h.gain)
		goesOn := starts
		if before != 0 {
			goesOn = o.evidence.ratio(now, before, h.gain)
		}
		o.sums[j] = max(starts, o.sums[j]+goesOn, 0)
		best = max(best, o.sums[j]-h.cost)
	}
	return best
}

// ramping returns the evidence for a ramp.
func (o *oracle) ramping(i int) float64 {
	best := 0.0
	for j, slope := range o.slopes {
		for r := range rampStarts {
			// Latest start of this position of the ring that is not after slot i.
			start := (i/rampStride-r)/rampStarts*rampStarts*rampStride + r*rampStride
			if i/rampStride < r || i-start >= rampSlots {
				continue
			}
			sum, before := &o.ramps[j*rampStarts+r], 0.0
			if o.last < start {
				*sum = 0
			} else {
				before = slope * float64(o.last-start+1)
			}
			*sum += o.evidence.ratio(slope*float64(i-start+1), before, 1)
			best = max(best, *sum-o.costs.ramp)
		}
	}
	return best
}

// Absent returns the evidence for a silence. Without a fault, points are lost individually, or two to six at a
// restart.
func (o *oracle) Absent(int64) float64 {
	o.slot++
	o.missed++
	m := float64(o.missed)
	chance := math.Pow(o.lost, m)
	if o.missed <= 6 {
		chance += o.torn * min(1, (7-m)/5)
	} else {
		chance += o.torn * math.Pow(o.lost, m-6)
	}
	return max(0, -math.Log(max(chance, math.Exp(impossible)))-o.costs.silence)
}

func (o *oracle) Clone() Detector {
	c := *o
	c.evidence, c.sums, c.ramps = o.evidence.clone(), slices.Clone(o.sums), slices.Clone(o.ramps)
	return &c
}
