// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package stats

import (
	"math"
	"testing"
)

// countTail sums the terms of the distribution one by one, from its start.
func countTail(v int, mean, dispersion float64) float64 {
	r, q := mean/(dispersion-1), 1-1/dispersion
	term := math.Exp(-mean)
	if dispersion > 1 {
		term = math.Pow(1/dispersion, r)
	}
	below, upTo, above := 0.0, 0.0, 0.0
	for k := range 5000 {
		switch {
		case k < v:
			below += term
		default:
			above += term
		}
		if k <= v {
			upTo += term
		}
		if dispersion > 1 {
			term *= (float64(k) + r) / float64(k+1) * q
		} else {
			term *= mean / float64(k+1)
		}
	}
	if float64(v) > mean {
		return -math.Log(above)
	}
	return -math.Log(upTo)
}

func TestCountSurprise(t *testing.T) {
	for _, mean := range []float64{0.001, 0.05, 0.7, 3, 9.5, 120} {
		for _, dispersion := range []float64{1, 1.5, 4} {
			for _, v := range []int{0, 1, 2, 3, 7, 15, 40, 180} {
				got, want := CountSurprise(float64(v), mean, dispersion), countTail(v, mean, dispersion)
				if want > 250 { // the plain sum has lost its precision
					continue
				}
				if math.Abs(got-want) > 1e-6*(1+want) {
					t.Errorf("mean %g, dispersion %g: surprise of %d is %.9g, want %.9g", mean, dispersion, v, got, want)
				}
			}
		}
	}
}

// A larger dispersion makes the same count less surprising, and a larger count is more
// surprising.
func TestCountSurpriseIsMonotonic(t *testing.T) {
	for v := 4.0; v < 2000; v *= 1.5 {
		v := math.Ceil(v)
		if a, b := CountSurprise(v, 2, 1), CountSurprise(v, 2, 3); !(a > b) {
			t.Errorf("surprise of %g: %g for a Poisson count, %g with a larger dispersion", v, a, b)
		}
		if a, b := CountSurprise(v, 2, 1.5), CountSurprise(v+1, 2, 1.5); !(b > a) || math.IsInf(b, 0) {
			t.Errorf("surprise of %g is %g, of the next count %g", v, a, b)
		}
	}
}
