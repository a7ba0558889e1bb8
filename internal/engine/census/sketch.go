// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package census

import (
	"math"
	"math/bits"

	"github.com/auspex-otel/auspex/internal/exact"
)

// sketchBits is the logarithm of the number of registers.
const sketchBits = 8

// sketch estimates the number of distinct identities: HyperLogLog, with linear counting for small numbers (Flajolet
// et al. 2007). The zero value is empty.
type sketch struct {
	registers [1 << sketchBits]uint8
	filled    int // registers that are not 0
}

func (s *sketch) add(id uint64) {
	s.set(int(id>>(64-sketchBits)), uint8(1+bits.LeadingZeros64(id<<sketchBits|1<<(sketchBits-1))))
}

func (s *sketch) set(i int, rank uint8) {
	if rank <= s.registers[i] {
		return
	}
	if s.registers[i] == 0 {
		s.filled++
	}
	s.registers[i] = rank
}

// merge adds the identities of another sketch.
func (s *sketch) merge(other *sketch) {
	for i, rank := range other.registers {
		s.set(i, rank)
	}
}

func (s *sketch) estimate() int {
	const m = 1 << sketchBits
	sum := 0.0
	for _, rank := range s.registers {
		sum += math.Ldexp(1, -int(rank))
	}
	n := 0.7213 / (1 + 1.079/m) * m * m / sum
	if empty := m - s.filled; n < 2.5*m && empty > 0 {
		n = float64(m * exact.Log(float64(m)/float64(empty)))
	}
	return int(math.Round(n))
}
