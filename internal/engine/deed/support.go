// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package deed

import "math"

const (
	memory = 4300 // windows from which on more support no smaller probability
	beyond = 2.5  // nats beyond ln n that count in full
	guess  = 0.6  // of each nat beyond those
)

// Supported returns a surprise, in nats, shortened to what n windows can support: of n windows the
// rarest has p = 1/n, and much less than that is a guess. The order of surprises remains.
func Supported(surprise float64, n uint64) float64 {
	if surprise < beyond {
		return surprise
	}
	if known := math.Log(float64(max(1, min(n, memory)))) + beyond; surprise > known {
		return known + guess*(surprise-known)
	}
	return surprise
}
