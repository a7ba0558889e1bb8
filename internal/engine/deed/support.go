// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package deed

import "github.com/auspex-otel/auspex/internal/exact"

const (
	memory = 4300 // windows from which on more support no smaller probability
	beyond = 2.5  // nats beyond ln n that count in full
	guess  = 0.6  // of each nat beyond those
)

// Supported returns a surprise, in nats, limited to what n windows can support: the rarest of n windows has p = 1/n,
// and much smaller values are extrapolated. It preserves the order of surprises.
func Supported(surprise float64, n uint64) float64 {
	if surprise < beyond {
		return surprise
	}
	if known := exact.Log(float64(max(1, min(n, memory)))) + beyond; surprise > known {
		return known + float64(guess*(surprise-known))
	}
	return surprise
}
