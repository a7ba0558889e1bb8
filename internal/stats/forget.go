// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package stats

import "math"

// HalfLife is the number of points after which what was learned counts half.
// The effective number of points remembered is HalfLife / ln 2, about 4,300.
const HalfLife = 3000

// maxWeight bounds the growing weight: counts stay far inside float32.
const maxWeight = 1 << 20

// growth is the factor between the weights of two successive points.
var growth = math.Exp2(1.0 / HalfLife)

// Weight is the weight of the newest point under exponential forgetting. Rather
// than shrinking every count at each point, the newest point weighs more than
// the one before it, which costs O(1). The zero value is not usable: start at 1.
type Weight float64

// Next advances by one point. When the weight grows too large it returns a
// factor below 1, by which the caller multiplies all that it counted; else 1.
func (w *Weight) Next() (rescale float64) {
	*w *= Weight(growth)
	if *w < maxWeight {
		return 1
	}
	rescale = 1 / float64(*w)
	*w = 1
	return rescale
}

// Valid reports whether w is a weight that Next can have left behind.
func (w Weight) Valid() bool { return w >= 1 && w < maxWeight }
