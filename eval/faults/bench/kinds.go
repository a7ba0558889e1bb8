// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// A signal converts the random draws of a series to values in two steps: the latent, to which faults are added and in
// which σ is the innovation's standard deviation, and the observed value.
type signal interface {
	// latent fills out for the slots from `from` to before `to`, continuing the fault-free latent before them. gain,
	// if not nil, scales the innovation of each.
	latent(s *series, from, to int, gain, out []float64)
	// value returns the observed value at slot i for the latent x.
	value(s *series, i int, x float64, l look) float64
}

// look holds the other inputs of a counted value.
type look struct {
	u       float64 // its quantile
	traffic float64 // factor of the tries
}

// kind is a row of the table of kinds.
type kind struct {
	params  map[string]param
	seasons bool // may have a daily and weekly season
	trends  bool
	white   bool     // its noise is not the AR(1)
	not     []string // faults that cannot apply, or that equal normal behavior
	start   func(s *series, p map[string]float64, r *rand.Rand, zone *time.Location) signal
}

type param struct {
	usual span
	most  float64
}

func (k *kind) names() []string { return slices.Sorted(maps.Keys(k.params)) }

var kinds = map[string]kind{
	"rate": {
		params:  map[string]param{"level": {span{20, 5000}, 1e9}, "noise": {span{0.01, 0.08}, 0.3}},
		seasons: true, trends: true, start: startRate,
	},
	"latency": {
		params:  map[string]param{"level": {span{5, 2000}, 1e9}, "noise": {span{0.02, 0.1}, 0.5}},
		seasons: true, trends: true, start: startLatency,
	},
	"error_ratio": {
		params: map[string]param{"chance": {span{0.002, 0.05}, 0.5}, "tries": {span{20, 300}, 500}},
		white:  true, not: slices.Concat(downward, ofNoise), start: startErrorRatio,
	},
	"gauge": {
		params:  map[string]param{"level": {span{40, 120}, 300}, "noise": {span{0.5, 2.5}, 50}},
		seasons: true, trends: true, start: startGauge,
	},
	"queue": {
		params: map[string]param{"step": {span{2, 20}, 1e6}, "spare": {span{0.1, 0.5}, 3}},
		white:  true, not: append([]string{"variance down", "flat line"}, downward...), start: startQueue,
	},
	"sawtooth": {
		params: map[string]param{"level": {span{100, 1000}, 1e9}, "noise": {span{0.005, 0.02}, 0.3}, "height": {span{10, 30}, 1000}, "points": {span{20, 200}, 1e4}},
		start:  startSawtooth,
	},
	"counter": {
		params: map[string]param{"mean": {span{0.02, 0.5}, 100}},
		white:  true, not: slices.Concat(downward, ofNoise), start: startCounter,
	},
	"batch": {
		params: map[string]param{"level": {span{5, 500}, 1e9}, "noise": {span{0.01, 0.08}, 0.3}, "height": {span{10, 50}, 1000}, "share": {span{0.05, 0.25}, 0.9}},
		start:  startBatch,
	},
	"cache_ratio": {
		params:  map[string]param{"level": {span{0.8, 0.99}, 0.999}, "noise": {span{0.03, 0.2}, 1}},
		seasons: true, start: startCacheRatio,
	},
}

var (
	downward = []string{"level down"}
	ofNoise  = []string{"variance up", "variance down", "flat line"}
)

// ar is the latent of most kinds: center + σ·n, n the AR(1) noise.
type ar struct{}

func (ar) latent(s *series, from, to int, gain, out []float64) {
	n := 0.0
	if from > 0 {
		n = s.noise[from-1]
	}
	for i := from; i < to; i++ {
		switch {
		case gain != nil:
			n = s.phi*n + gain[i-from]*s.eps[i]
		default:
			n = s.noise[i]
		}
		out[i-from] = s.center[i] + s.sigma*n
	}
}

// setLevel starts a series at a level. Its noise is a share of the level.
func (s *series) setLevel(level, sigma float64) {
	s.sigma = sigma
	for i := range s.center {
		s.center[i] = level
	}
}

// rate is requests per second: v = max(0, z), σ = noise·level.
type rate struct{ ar }

func startRate(s *series, p map[string]float64, _ *rand.Rand, _ *time.Location) signal {
	s.setLevel(p["level"], p["noise"]*p["level"])
	return rate{}
}

func (rate) value(_ *series, _ int, x float64, _ look) float64 { return max(0, x) }

// latency is a p99: v = e^z, z around ln level, σ = noise: errors are shares of the latency.
type latency struct{ ar }

func startLatency(s *series, p map[string]float64, _ *rand.Rand, _ *time.Location) signal {
	s.setLevel(math.Log(p["level"]), p["noise"])
	return latency{}
}

func (latency) value(_ *series, _ int, x float64, _ look) float64 { return math.Exp(min(x, 300)) }

// gauge is a utilization in percent that approaches its ceiling smoothly and is rounded to a tenth: v =
// 100·tanh(z/100), 0 below 0, σ = noise.
type gauge struct{ ar }

func startGauge(s *series, p map[string]float64, _ *rand.Rand, _ *time.Location) signal {
	s.setLevel(p["level"], p["noise"])
	return gauge{}
}

func (gauge) value(_ *series, _ int, x float64, _ look) float64 {
	return math.Round(1000*math.Tanh(max(0, x)/100)) / 10
}

// sawtooth is the memory of a process with a garbage collector: the live set, plus teeth that rise by height σ over a
// number of points (± 15 % per tooth) and fall at once, and AR(1) noise: v = max(0, z), σ = noise·level. A restart
// begins a tooth.
type sawtooth struct{ ar }

func startSawtooth(s *series, p map[string]float64, r *rand.Rand, _ *time.Location) signal {
	s.setLevel(p["level"], p["noise"]*p["level"])
	rise := func() float64 { return (0.85 + 0.3*r.Float64()) / p["points"] }
	x, step := r.Float64(), rise()
	for i := range s.center {
		if x += step; x >= 1 || s.restart[i] {
			x, step = 0, rise()
		}
		s.center[i] += s.sigma * p["height"] * x
	}
	return sawtooth{}
}

func (sawtooth) value(_ *series, _ int, x float64, _ look) float64 { return max(0, x) }

// batch is the load of a host with a job every 1, 6, or 24 hours: a level with AR(1) noise, and height σ more while
// the job runs, which is a share of its period and at least three points: v = max(0, z), σ = noise·level.
type batch struct{ ar }

func startBatch(s *series, p map[string]float64, r *rand.Rand, zone *time.Location) signal {
	s.setLevel(p["level"], p["noise"]*p["level"])
	j := job{zone: zone, height: p["height"] * s.sigma, period: choose(r, []float64{1, 6, 24})}
	j.offset = j.period * r.Float64()
	j.length = max(p["share"]*j.period, 3*float64(s.cadence)/float64(time.Hour))
	for i, t := range s.at {
		s.seasonal[i] = j.at(t)
	}
	return batch{}
}

func (batch) value(_ *series, _ int, x float64, _ look) float64 { return max(0, x) }

// cacheRatio is the share of hits: v = 1/(1+e^-z), z around logit(level), σ = noise.
type cacheRatio struct{ ar }

func startCacheRatio(s *series, p map[string]float64, _ *rand.Rand, _ *time.Location) signal {
	s.setLevel(math.Log(p["level"]/(1-p["level"])), p["noise"])
	return cacheRatio{}
}

func (cacheRatio) value(_ *series, _ int, x float64, _ look) float64 { return 1 / (1 + math.Exp(-x)) }
