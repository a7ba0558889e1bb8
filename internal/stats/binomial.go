// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package stats

import "github.com/auspex-otel/auspex/internal/exact"

// mostTerms bounds the terms of a binomial tail. The omitted terms are negligible.
const mostTerms = 4096

// BinomialSurprise returns -ln P(X ≥ k) in nats, where X is the number of successes in n trials
// with probability q, 0 < q < 1. It returns 0 for k ≤ n·q, where the probability is not small.
func BinomialSurprise(k, n int, q float64) float64 {
	if k <= 0 || float64(k) <= float64(n)*q || k > n {
		return 0
	}
	logQ, logRest := exact.Log(q), exact.Log1p(-q)
	log := logChoose(n, k) + float64(float64(k)*logQ) + float64(float64(n-k)*logRest)
	// The terms decrease from here: their sum is in units of the first.
	sum, term := 1.0, 1.0
	for i, left := k, mostTerms; i < n && left > 0 && term > 1e-12*sum; i, left = i+1, left-1 {
		term = float64(term * (float64(n-i) / float64(i+1) * q / (1 - q)))
		sum += term
	}
	return max(0, -(log + exact.Log(sum)))
}

// logChoose returns ln of n over k.
func logChoose(n, k int) float64 {
	a := exact.Lgamma(float64(n + 1))
	b := exact.Lgamma(float64(k + 1))
	c := exact.Lgamma(float64(n - k + 1))
	return a - b - c
}
