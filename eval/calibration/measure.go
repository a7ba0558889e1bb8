// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"math"
	"math/rand/v2"

	"github.com/auspex-otel/auspex/internal/detect"
)

const (
	points    = 20000 // per series, without a fault
	early     = 500   // counted apart
	faultLen  = 20    // points of shift after them
	faultSize = 6     // standard deviations of the noise
)

var (
	nominal   = [...]float64{1e-2, 1e-3}
	countFrom = -math.Log(1e-3) // a window counts if one of its points has a smaller p
)

// result holds the counts of one family, which add up over series.
type result struct {
	below, n           [2][len(nominal)]int // [early, later]
	windows, falseHits int
	faults, hits       int
}

// share returns the share of points below nominal[k]. part is 0 for early and 1 for later points.
func (r *result) share(part, k int) float64 {
	return float64(r.below[part][k]) / float64(r.n[part][k])
}

func (r *result) ratio(k int) float64   { return r.share(1, k) / nominal[k] }
func (r *result) recall() float64       { return float64(r.hits) / float64(r.faults) }
func (r *result) falseWindows() float64 { return float64(r.falseHits) / float64(r.windows) }
func (r *result) calibrated() bool {
	for k := range nominal {
		if x := r.ratio(k); !(x >= 0.5 && x <= 2) {
			return false
		}
	}
	return true
}

// detects reports whether recall meets the target, unless windows without a fault count nearly as often.
func (r *result) detects() bool { return r.recall() >= 0.9 && r.falseWindows() <= 0.1 }

// measure runs one series of the family through a new model and adds its results.
func (r *result) measure(f family, m detect.Model, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15))
	next := f.start(rng)
	t, hit := int64(0), false
	for i := range points {
		t += 15e9
		nats := m.Observe(t, next()).Surprise
		part := 1
		if i < early {
			part = 0
		}
		for k, p := range nominal {
			r.n[part][k]++
			if nats > -math.Log(p) {
				r.below[part][k]++
			}
		}
		hit = hit || part == 1 && nats > countFrom
		if part == 1 && (i+1)%faultLen == 0 {
			r.windows++
			if hit {
				r.falseHits++
			}
			hit = false
		}
	}
	r.faults++
	for range faultLen {
		t += 15e9
		if m.Observe(t, next()+faultSize*f.sigma).Surprise > countFrom {
			hit = true
		}
	}
	if hit {
		r.hits++
	}
}
