// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"cmp"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

const (
	day     = int64(24 * time.Hour)
	week    = 7 * day
	maxSlot = 40320 // of a series, unless the spec has another: 14 days at 30 s
	minDays = 4     // of a series, whatever its cadence
)

// The first midnight (UTC) of a series lies 0 to 3 weeks after this Monday, so
// that 28 days cross a change of the clocks in New York, Berlin or Sydney.
var epoch = time.Date(2025, time.March, 3, 0, 0, 0, 0, time.UTC)

// A series holds all random draws of one series without a fault, by slot, with one slot per cadence. Values are a
// function of these draws, so that a fault changes nothing else.
type series struct {
	family  *family
	sizes   []float64 // of faults, in σ
	signal  signal
	cadence int64
	warm    int // slots that are not counted

	at      []int64
	present []bool
	restart []bool // the first slot after a restart

	sigma float64 // of the innovations of the latent
	phi   float64
	tail  float64 // degrees of freedom
	trend float64 // of the latent, per slot

	season   *season   // nil without
	seasonal []float64 // what the season or the job adds to the latent
	center   []float64 // the latent without noise
	eps      []float64 // innovations, variance 1
	noise    []float64 // AR(1) of them
	uniform  []float64 // for what is counted
	count    []float64 // tries of a ratio
	latent   []float64
	value    []float64
}

func (s *series) slots() int { return len(s.at) }

// perDay returns the slots of a day.
func (s *series) perDay() int { return int(day / s.cadence) }

// weeks returns the weeks that count.
func (s *series) weeks() float64 {
	return float64(s.slots()-s.warm) * float64(s.cadence) / float64(week)
}

// rngOf returns the random generator for one purpose. Series of other families or indices get independent numbers.
func rngOf(seed uint64, name string, index int) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name))
	return rand.New(rand.NewPCG(seed, h.Sum64()+uint64(index)*0x9e3779b97f4a7c15))
}

// newSeries draws the series with an index of a family. With planned it also has a job that runs every day from the
// first day on.
func newSeries(sp *spec, f *family, index int, planned bool) (s *series, windows [][2]int) {
	r := rngOf(sp.Seed, f.Name, index)
	o := &f.options
	s = &series{family: f, sizes: sp.Sizes, cadence: int64(choose(r, o.Cadences)), phi: choose(r, o.Phi), tail: choose(r, o.Tails)}
	k := kinds[f.Kind]
	if k.white {
		s.phi = 0
	}
	s.drawTimes(r, sp.Days, cmp.Or(sp.mostSlots, maxSlot), o)
	s.drawNoise(r)
	zone, err := time.LoadLocation(choose(r, o.Zones))
	if err != nil {
		panic(err) // the spec was checked
	}
	params := map[string]float64{}
	for _, name := range k.names() {
		p, given := f.Params[name]
		if !given {
			p = k.params[name].usual
		}
		params[name] = p.draw(r)
	}
	s.center, s.seasonal = make([]float64, s.slots()), make([]float64, s.slots())
	s.signal = k.start(s, params, r, zone)
	if k.seasons {
		s.drawSeason(r, o, zone)
	}
	if k.trends && r.Float64() < o.Trend {
		s.trend = s.sigma * (2*float64(r.IntN(2)) - 1) * span{0.05, 0.2}.draw(r) / float64(s.perDay())
	}
	if planned {
		windows = s.plan(r, zone)
	}
	for i := range s.center {
		s.center[i] += s.seasonal[i] + s.trend*float64(i)
	}
	s.observeAll()
	return s, windows
}

// drawTimes draws the slots with points, their times, and the restarts of the process.
func (s *series) drawTimes(r *rand.Rand, days, most int, o *options) {
	days = min(days, max(minDays, int(int64(most)*s.cadence/day)))
	n := days * int(day/s.cadence)
	s.warm = min(7, days/2) * int(day/s.cadence)
	start := epoch.UnixNano() + int64(r.IntN(4))*week
	s.at, s.present, s.restart = make([]int64, n), make([]bool, n), make([]bool, n)
	chance := o.Restarts * float64(s.cadence) / float64(week)
	gap := 0
	for i := range n {
		s.at[i] = start + int64(i)*s.cadence + int64((r.Float64()-0.5)*o.Jitter*float64(s.cadence))
		s.present[i] = r.Float64() >= o.Missing
		if gap == 0 && i > 0 && r.Float64() < chance {
			gap = 3 + r.IntN(5)
		}
		if gap > 0 {
			gap--
			s.present[i], s.restart[i] = gap == 0, gap == 0
		}
	}
}

// drawNoise draws the innovations and their AR(1), which is stationary from the start:
//
//	n₀ = ε₀/√(1-φ²),  n = φ·n' + ε
func (s *series) drawNoise(r *rand.Rand) {
	n := s.slots()
	s.eps, s.noise, s.uniform = make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range n {
		s.eps[i], s.uniform[i] = innovation(r, s.tail), r.Float64()
		if i == 0 {
			s.noise[i] = s.eps[i] / math.Sqrt(1-s.phi*s.phi)
		} else {
			s.noise[i] = s.phi*s.noise[i-1] + s.eps[i]
		}
	}
}

// drawSeason draws whether the series has a season. A series shorter than two weeks has no weekly one.
func (s *series) drawSeason(r *rand.Rand, o *options, zone *time.Location) {
	has, weekly := r.Float64() < o.Season, r.Float64() < o.Weekly
	n := &season{zone: zone, amplitude: s.sigma * o.Amplitude.draw(r), trough: 2 + 4*r.Float64(), power: span{1, 3}.draw(r), weekend: 1}
	factor := 0.3 + 0.5*r.Float64()
	if !has {
		return
	}
	if weekly && s.slots() >= 14*s.perDay() {
		n.weekend = factor
	}
	s.season = n
	for i, t := range s.at {
		s.seasonal[i] = n.at(t)
	}
}

// plan adds a daily job of 5 to 20 σ that lasts half an hour to an hour, and returns its runs that count.
func (s *series) plan(r *rand.Rand, zone *time.Location) (windows [][2]int) {
	j := job{zone: zone, height: s.sigma * span{5, 20}.draw(r), period: 24, offset: 24 * r.Float64(), length: 0.5 + 0.5*r.Float64()}
	before := 0.0
	for i, t := range s.at {
		x := j.at(t)
		s.center[i] += x
		if x > 0 && i >= s.warm {
			if before == 0 {
				windows = append(windows, [2]int{i, i})
			}
			if len(windows) > 0 { // except a run that overlaps the end of the warm-up
				windows[len(windows)-1][1] = i + 1
			}
		}
		before = x
	}
	return windows
}

func (s *series) observeAll() {
	s.latent, s.value = make([]float64, s.slots()), make([]float64, s.slots())
	s.signal.latent(s, 0, s.slots(), nil, s.latent)
	for i, x := range s.latent {
		s.value[i] = s.signal.value(s, i, x, look{u: s.uniform[i], traffic: 1})
	}
}

// nextPresent returns the first slot from i on with a point, or i if there is none.
func (s *series) nextPresent(i int) int { return i + max(0, slices.Index(s.present[i:], true)) }
