// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package stats

import "github.com/auspex-otel/auspex/internal/exact"

// CountSurprise returns -ln P(X ≥ v) in nats for a count v above its mean > 0, or -ln P(X ≤ v)
// below it. dispersion is the variance over the mean: 1 for Poisson, otherwise negative binomial
// with r = mean/(dispersion-1) and success probability 1/dispersion.
func CountSurprise(v, mean, dispersion float64) float64 {
	// first is ln P(X = v). Each further term is a ratio times the preceding one.
	var first float64
	lv := exact.Lgamma(v + 1)
	ratio := func(k float64) float64 { return mean / (k + 1) }
	if dispersion > 1.01 {
		r, q := mean/(dispersion-1), 1-1/dispersion
		a := exact.Lgamma(v + r)
		b := exact.Lgamma(r)
		first = a - b - lv - float64(r*exact.Log(dispersion)) + float64(v*exact.Log(q))
		ratio = func(k float64) float64 { return float64((k + r) / (k + 1) * q) }
	} else {
		first = float64(v*exact.Log(mean)) - mean - lv
	}
	sum, term := 1.0, 1.0
	for k, left := v, mostTerms; left > 0 && term > 1e-9*sum; left-- {
		if v > mean {
			term = float64(term * ratio(k))
			k++
		} else if k--; k >= 0 {
			term /= ratio(k)
		} else {
			break
		}
		sum += term
	}
	return max(0, -(first + exact.Log(sum)))
}
