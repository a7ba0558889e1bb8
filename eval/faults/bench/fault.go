// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// grace is the number of slots after its end in which a spike, a burst, or a planned job may still be found. Longer
// faults have none: the slots after them are the recovery, and an opening there does not count as finding the fault.
const grace = 5

// A change is the effect of a fault or decoy on a series in the slots from start to before end.
type change struct {
	start, end int
	grace      int       // slots after the end that still count
	add        []float64 // to the latent
	gain       []float64 // of the innovations; nil leaves them
	flat       bool      // repeats the last value before the start
	silent     bool      // no points
	upper      bool      // counts come from the upper fifth of their distribution
	traffic    float64   // factor of the tries
}

// newChange returns a change of the given number of slots without an effect.
func newChange(start, slots int) *change {
	return &change{start: start, end: start + slots, add: make([]float64, slots), traffic: 1}
}

// apply returns the series from the start of the change to the end of its grace.
func (c *change) apply(s *series) (value []float64, present []bool) {
	n := c.end - c.start + c.grace
	value, present = make([]float64, n), slices.Clone(s.present[c.start:c.start+n])
	gain := c.gain
	if gain != nil {
		gain = append(slices.Clone(gain), slices.Repeat([]float64{1}, c.grace)...)
	}
	s.signal.latent(s, c.start, c.start+n, gain, value)
	last := c.start - 1
	for last > 0 && !s.present[last] {
		last--
	}
	for j := range value {
		i, l := c.start+j, look{u: s.uniform[c.start+j], traffic: 1}
		if i >= c.end {
			value[j] = s.signal.value(s, i, value[j], l)
			continue
		}
		if l.traffic = c.traffic; c.upper {
			l.u = 0.8 + 0.2*l.u
		}
		value[j] = s.signal.value(s, i, value[j]+c.add[j], l)
		if c.flat {
			value[j] = s.value[last]
		}
		if c.silent {
			present[j] = false
		}
	}
	return value, present
}

// A faultKind creates the change of one kind of fault of k σ, or nil if the series has nothing to change. at is the
// start, or for faults of the season the slot from which to search for a start. sign is -1 for downward faults, which
// only some kinds have.
type faultKind struct {
	name  string
	sized bool
	make  func(s *series, r *rand.Rand, at int, k, sign float64) *change
}

const incident = "incident"

var faultKinds = []faultKind{
	{"spike", true, spike},
	{"burst", true, burst},
	{"level up", true, func(s *series, _ *rand.Rand, at int, k, _ float64) *change { return shift(s, at, 120, k) }},
	{"level down", true, func(s *series, _ *rand.Rand, at int, k, _ float64) *change { return shift(s, at, 120, -k) }},
	{"slow leak", true, func(s *series, _ *rand.Rand, at int, k, _ float64) *change { return ramp(s, at, 240, k/60) }},
	{"variance up", true, func(_ *series, _ *rand.Rand, at int, k, _ float64) *change { return spread(at, k) }},
	{"variance down", true, func(_ *series, _ *rand.Rand, at int, k, _ float64) *change { return spread(at, 1/k) }},
	{"season phase", true, func(s *series, _ *rand.Rand, at int, k, _ float64) *change { return lateSeason(s, at, k) }},
	{"season shape", true, func(s *series, _ *rand.Rand, at int, k, _ float64) *change { return otherSeason(s, at, k) }},
	{"flat line", false, func(_ *series, _ *rand.Rand, at int, _, _ float64) *change {
		c := newChange(at, 60)
		c.flat = true
		return c
	}},
	{"silence", false, func(_ *series, _ *rand.Rand, at int, _, _ float64) *change {
		c := newChange(at, 60)
		c.silent = true
		return c
	}},
	{"missing peak", true, func(s *series, _ *rand.Rand, at int, k, _ float64) *change { return cutPeak(s, at, k) }},
	{"trend break", true, func(s *series, _ *rand.Rand, at int, k, _ float64) *change {
		if s.trend == 0 {
			return nil
		}
		return ramp(s, at, 90, -k/30*math.Copysign(1, s.trend))
	}},
	{incident, true, func(s *series, r *rand.Rand, at int, k, _ float64) *change {
		return shift(s, at, 30, k*(0.5+r.Float64()))
	}},
}

func isSized(name string) bool { return faultKinds[slices.Index(faultNames(), name)].sized }

func faultNames() (names []string) {
	for _, f := range faultKinds {
		names = append(names, f.name)
	}
	return names
}

// spike returns one point that deviates by kσ.
func spike(s *series, _ *rand.Rand, at int, k, sign float64) *change {
	c := shift(s, at, 1, sign*k)
	c.upper, c.grace = true, grace
	return c
}

// burst returns eight points that deviate by ½k to 1½k σ.
func burst(s *series, r *rand.Rand, at int, k, sign float64) *change {
	c := newChange(at, 8)
	c.grace = grace
	for j := range c.add {
		c.add[j] = sign * k * s.sigma * (0.5 + r.Float64())
	}
	return c
}

func shift(s *series, at, slots int, k float64) *change {
	c := newChange(at, slots)
	for j := range c.add {
		c.add[j] = k * s.sigma
	}
	return c
}

// ramp rises by perSlot σ per slot, and ends abruptly.
func ramp(s *series, at, slots int, perSlot float64) *change {
	c := newChange(at, slots)
	for j := range c.add {
		c.add[j] = perSlot * float64(j+1) * s.sigma
	}
	return c
}

// spread scales the innovations of 120 slots.
func spread(at int, gain float64) *change {
	c := newChange(at, 120)
	c.gain = slices.Repeat([]float64{gain}, 120)
	return c
}

// seasonSlots returns the duration of a changed season: six hours.
func seasonSlots(s *series) int { return int(6 * int64(time.Hour) / s.cadence) }

// lateSeason delays the season by up to six hours, so that the greatest deviation within six hours is kσ. It returns
// nil if none reaches it.
func lateSeason(s *series, at int, k float64) *change {
	if s.season == nil {
		return nil
	}
	c := newChange(at, seasonSlots(s))
	farthest := func(late int64) float64 {
		const looks = 73
		far := 0.0
		for j := range looks {
			t := s.at[at] + int64(j)*6*int64(time.Hour)/(looks-1)
			far = max(far, math.Abs(s.season.at(t-late)-s.season.at(t)))
		}
		return far
	}
	want := k * s.sigma
	step := int64(5 * time.Minute)
	late := step
	for ; farthest(late) < want; late += step {
		if late >= 6*int64(time.Hour) {
			return nil
		}
	}
	early := late - step
	for range 20 {
		if mid := (early + late) / 2; farthest(mid) < want {
			early = mid
		} else {
			late = mid
		}
	}
	for j := range c.add {
		t := s.at[at+j]
		c.add[j] = s.season.at(t-late) - s.season.at(t)
	}
	return c
}

// otherSeason mixes a season with two peaks into six hours, so that the greatest deviation is kσ.
func otherSeason(s *series, at int, k float64) *change {
	if s.season == nil {
		return nil
	}
	c := newChange(at, seasonSlots(s))
	far := 0.0
	for j := range c.add {
		t := s.at[at+j]
		c.add[j] = s.season.twoPeaks(t) - s.season.at(t)
		far = max(far, math.Abs(c.add[j]))
	}
	if far < k*s.sigma {
		return nil
	}
	for j := range c.add {
		c.add[j] *= k * s.sigma / far
	}
	return c
}

// cutPeak lowers the highest peak of the season, or the run of the job, of the day from `at` on by kσ, for at most
// six hours. It returns nil if the peak is lower than kσ.
func cutPeak(s *series, at int, k float64) *change {
	top := at
	for i := at; i < at+s.perDay(); i++ {
		if s.seasonal[i] > s.seasonal[top] {
			top = i
		}
	}
	limit := s.seasonal[top] - k*s.sigma
	if limit < -1e-9*s.sigma { // tolerance for rounding: the whole peak may be cut
		return nil
	}
	half := seasonSlots(s) / 2
	start, end := top, top+1
	for start > at && top-start < half && s.seasonal[start-1] > limit {
		start--
	}
	for end < at+s.perDay() && end-top < half && s.seasonal[end] > limit {
		end++
	}
	c := newChange(start, end-start)
	for j := range c.add {
		c.add[j] = min(0, limit-s.seasonal[start+j])
	}
	return c
}
