// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// grace is how many slots after its end a spike, a burst or a planned job may
// still be found. Longer faults have none: what follows them is the recovery, and
// who opens only then has not found the fault.
const grace = 5

// A change is what a fault or a decoy does to a series in the slots from start to before end.
type change struct {
	start, end int
	grace      int       // slots after the end that still count
	add        []float64 // to the latent
	gain       []float64 // of the innovations; nil leaves them
	flat       bool      // the last value before the start, again and again
	silent     bool      // no points
	upper      bool      // counts come from the upper fifth of their distribution
	traffic    float64   // times the usual tries
}

// newChange is a change of so many slots that changes nothing yet.
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

// A faultKind makes the change of one kind of fault of k σ, or nil where the
// series has nothing that it could change. at is where to begin, or for what
// follows the season where to look for a beginning; sign is -1 where the fault
// goes down, which only the kinds with a way down do.
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

// spike is one point kσ off.
func spike(s *series, _ *rand.Rand, at int, k, sign float64) *change {
	c := shift(s, at, 1, sign*k)
	c.upper, c.grace = true, grace
	return c
}

// burst is eight points, each ½k to 1½k σ off.
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

// ramp rises by perSlot σ at each slot, and ends at once.
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

// seasonSlots is how long a changed season lasts: six hours.
func seasonSlots(s *series) int { return int(6 * int64(time.Hour) / s.cadence) }

// lateSeason lets the season come so late, up to six hours, that it is kσ off
// where it is farthest off within six hours. Nothing, if it never is.
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

// otherSeason mixes so much of a season with two peaks into six hours that it is kσ off where it is farthest off.
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

// cutPeak cuts the highest peak of the season, or run of the job, of the day from
// `at` on by kσ, for at most six hours. Nothing, if there is less than kσ to cut.
func cutPeak(s *series, at int, k float64) *change {
	top := at
	for i := at; i < at+s.perDay(); i++ {
		if s.seasonal[i] > s.seasonal[top] {
			top = i
		}
	}
	limit := s.seasonal[top] - k*s.sigma
	if limit < -1e-9*s.sigma { // rounding: the whole peak may go
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
