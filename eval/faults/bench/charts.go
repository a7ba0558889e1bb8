// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package bench

import "math"

const (
	windowSize = 361 // points in the window of the rolling baselines
	warmUp     = 90  // points before a baseline returns scores
)

// rolling is the mean and standard deviation of the last points.
type rolling struct {
	unmoved

	ring         []float64
	next         int
	origin       float64 // sums are of v - origin, to avoid cancellation
	sum, squares float64
	all          moments
}

func newRolling() rolling { return rolling{ring: make([]float64, 0, windowSize)} }

func (r *rolling) clone() rolling {
	c := *r
	c.ring = append(make([]float64, 0, windowSize), r.ring...)
	return c
}

func (r *rolling) add(v float64) {
	r.all.add(v)
	if len(r.ring) < windowSize {
		r.ring = append(r.ring, v)
	} else {
		old := r.ring[r.next] - r.origin
		r.sum -= old
		r.squares -= old * old
		r.ring[r.next] = v
	}
	r.sum += v - r.origin
	r.squares += (v - r.origin) * (v - r.origin)
	if r.next++; r.next == windowSize { // recompute the sums once per window
		r.next = 0
		r.origin += r.sum / float64(len(r.ring))
		r.sum, r.squares = 0, 0
		for _, x := range r.ring {
			r.sum += x - r.origin
			r.squares += (x - r.origin) * (x - r.origin)
		}
	}
}

func (r *rolling) ready() bool { return len(r.ring) >= warmUp }

func (r *rolling) mean() float64 { return r.origin + r.sum/float64(len(r.ring)) }

// sd returns the standard deviation, or 0 if only rounding errors remain of the squares.
func (r *rolling) sd() float64 {
	n := float64(len(r.ring))
	if v := r.squares/n - r.sum/n*r.sum/n; v > 1e-12*r.squares/n {
		return math.Sqrt(v)
	}
	return 0
}

// threeSigma scores |v - mean| / σ over a rolling window.
type threeSigma struct{ rolling }

func newThreeSigma(int64, uint64) Detector { return &threeSigma{newRolling()} }

func (d *threeSigma) Observe(_ int64, v float64) (score float64) {
	if d.ready() {
		score = math.Abs(v-d.mean()) / d.all.scaleOr(d.sd(), v)
	}
	d.add(v)
	return score
}

func (d *threeSigma) Clone() Detector { return &threeSigma{d.clone()} }

// ewma is the EWMA control chart with λ = .2, against the mean and σ of a rolling window:
//
//	z = λ·v + (1-λ)·z',  score = |z - mean| / (σ·√(λ/(2-λ)))
type ewma struct {
	rolling

	z float64
}

const lambda = 0.2

func newEWMA(int64, uint64) Detector { return &ewma{rolling: newRolling()} }

func (d *ewma) Observe(_ int64, v float64) (score float64) {
	if len(d.ring) == 0 {
		d.z = v
	}
	d.z += lambda * (v - d.z)
	if d.ready() {
		score = math.Abs(d.z-d.mean()) / (d.all.scaleOr(d.sd(), v) * math.Sqrt(lambda/(2-lambda)))
	}
	d.add(v)
	return score
}

func (d *ewma) Clone() Detector { return &ewma{d.clone(), d.z} }

// mad scores |v - median| / (1.4826·MAD) over a rolling window.
type mad struct {
	unmoved

	recent window
	all    moments
}

func newMAD(int64, uint64) Detector { return &mad{recent: newWindow(windowSize)} }

func (d *mad) Observe(_ int64, v float64) (score float64) {
	if len(d.recent.ring) >= warmUp {
		center := d.recent.quantile(0.5)
		score = math.Abs(v-center) / d.all.scaleOr(1.4826*d.recent.deviation(center), v)
	}
	d.recent.add(v)
	d.all.add(v)
	return score
}

func (d *mad) Clone() Detector { return &mad{recent: d.recent.clone(), all: d.all} }
