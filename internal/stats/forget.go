// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package stats

import (
	"math"

	"github.com/auspex-otel/auspex/internal/exact"
)

// HalfLife is the number of points after which the weight of a point is halved. The effective
// number of remembered points is HalfLife / ln 2, about 4,300.
const HalfLife = 3000

// The newest point weighs leastUnit to mostUnit, so that the total fits a uint16: HalfLife points
// of increasing weight, and as much from before.
const (
	leastUnit = 7
	mostUnit  = 2*leastUnit - 1
)

// units holds the weights of a point by its position between two halvings.
var units = func() (u [HalfLife]uint8) {
	for i := range u {
		u[i] = uint8(leastUnit * exact.Exp2(float64(i)/HalfLife))
	}
	return u
}()

// Weight is the weight of the newest point under exponential forgetting. Instead of shrinking
// every count at each point, the newest point weighs more than the preceding one, and every
// HalfLife points all counts are halved. The zero value is ready to use.
type Weight uint16

// Next advances by one point and reports whether the caller must halve all its counts.
func (w *Weight) Next() (halve bool) {
	if *w++; *w < HalfLife {
		return false
	}
	*w = 0
	return true
}

// Unit returns the weight of the newest point.
func (w Weight) Unit() float64 { return float64(units[w]) }

// Valid reports whether w is a possible result of Next.
func (w Weight) Valid() bool { return w < HalfLife }

// add adds a weight to a count, which saturates, and returns the added part.
func add(count *uint16, w uint16) uint32 {
	taken := min(w, math.MaxUint16-*count)
	*count += taken
	return uint32(taken)
}

// halve halves all counts and returns their sum.
func halve(counts []uint16) (total uint32) {
	for j := range counts {
		counts[j] /= 2
	}
	return sum(counts)
}

// sum returns the sum of all counts.
func sum(counts []uint16) (total uint32) {
	for _, c := range counts {
		total += uint32(c)
	}
	return total
}

// whole returns a point's weight times the trust in it, 0 to 1, rounded.
func whole(w, trust float64) uint16 { return uint16(float64(w*trust) + 0.5) }
