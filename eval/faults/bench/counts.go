// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"math"
	"math/rand/v2"
	"time"
)

// counted is the latent of kinds with counting noise: the mean itself.
type counted struct{}

func (counted) latent(s *series, from, to int, _, out []float64) { copy(out, s.center[from:to]) }

// errorRatio is the share of failed requests at low traffic: of N tries, N Poisson with mean tries, E binomial with
// probability z: v = E/N, 0 without a try. σ = √(z(1-z)/tries).
type errorRatio struct{ counted }

func startErrorRatio(s *series, p map[string]float64, r *rand.Rand, _ *time.Location) signal {
	s.setLevel(p["chance"], math.Sqrt(p["chance"]*(1-p["chance"])/p["tries"]))
	s.count = make([]float64, s.slots())
	for i := range s.count {
		s.count[i] = poisson(r.Float64(), p["tries"])
	}
	return errorRatio{}
}

func (errorRatio) value(s *series, i int, x float64, l look) float64 {
	n := math.Round(s.count[i] * l.traffic)
	if n == 0 {
		return 0
	}
	return binomial(l.u, n, x) / n
}

// counter is the increase per interval of a counter that seldom changes: v is Poisson with mean z, σ = √mean. After a
// restart the counter begins at 0, and the first increase covers part of an interval.
type counter struct{ counted }

func startCounter(s *series, p map[string]float64, _ *rand.Rand, _ *time.Location) signal {
	s.setLevel(p["mean"], math.Sqrt(p["mean"]))
	return counter{}
}

func (counter) value(s *series, i int, x float64, l look) float64 {
	if s.restart[i] {
		x *= 0.5
	}
	return poisson(l.u, x)
}

// queue is the length of a queue under load, a reflected random walk:
//
//	z = max(0, z' + σ·(ε - spare)),  v = z to the next integer,  σ = step
//
// spare is the unused capacity. The queue starts empty, as after a restart.
type queue struct{ spare float64 }

func startQueue(s *series, p map[string]float64, _ *rand.Rand, _ *time.Location) signal {
	s.sigma = p["step"]
	return queue{spare: p["spare"]}
}

func (q queue) latent(s *series, from, to int, gain, out []float64) {
	x := 0.0
	if from > 0 {
		x = s.latent[from-1]
	}
	for i := from; i < to; i++ {
		e := s.eps[i]
		if gain != nil {
			e *= gain[i-from]
		}
		x = max(0, x+s.sigma*(e-q.spare))
		if s.restart[i] {
			x = 0
		}
		out[i-from] = x
	}
}

func (queue) value(_ *series, _ int, x float64, _ look) float64 { return math.Round(max(0, x)) }
