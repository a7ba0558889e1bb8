// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package window

import "math"

// Short and Long are the lengths of the two windows.
const (
	Short = 8
	Long  = 120
)

// Dims is the number of features of one window.
const Dims = 6

// Features describes one window, in units of the range: last, mean, least,
// greatest, twice the standard deviation, and the mean of its later half less
// that of its earlier half. The first four are relative to the origin.
// They are fixed-point numbers: One is a range.
type Features [Dims]int16

// One is a whole range in Features.
const One = 1024

// fixed returns x, in ranges, as a fixed-point number, limited to ±32 ranges.
func fixed(x float64) int16 {
	return int16(max(-math.MaxInt16, min(math.MaxInt16, math.RoundToEven(float64(x*One)))))
}

// Unit is the scale of relative values: an origin and a range, in the unit of the series.
type Unit struct{ Origin, Span float64 }

// Of returns v in the unit.
func (u Unit) Of(v float64) float32 {
	if u.Span <= 0 {
		return 0
	}
	return float32(max(-farthest, min(farthest, (v-u.Origin)/u.Span)))
}

const farthest = 1e30 // ranges

// Ring holds the latest values of a series in a Unit and overwrites the oldest first. Its length is that of the slice
// that it is used with.
type Ring struct{ next, n uint8 }

// Full reports whether the ring is full.
func (r *Ring) Full(values []float32) bool { return int(r.n) == len(values) }

// Len returns the number of values.
func (r *Ring) Len() int { return int(r.n) }

// Push adds the next value.
func (r *Ring) Push(values []float32, x float32) {
	values[r.next] = x
	if r.next++; int(r.next) == len(values) {
		r.next = 0
	}
	if int(r.n) < len(values) {
		r.n++
	}
}

// Mean returns the mean of the latest k values, or of all if there are fewer.
func (r *Ring) Mean(values []float32, k int) float64 {
	k = min(k, int(r.n))
	sum, at := 0.0, int(r.next)
	for range k {
		if at--; at < 0 {
			at = len(values) - 1
		}
		sum += float64(values[at])
	}
	return sum / float64(max(k, 1))
}

// Rescale converts the values from one unit to another.
func (r *Ring) Rescale(values []float32, from, to Unit) {
	for i := range values[:r.n] {
		values[i] = to.Of(from.Origin + float64(from.Span*float64(values[i])))
	}
}

// Features describes the values of a full ring in O(length).
func (r *Ring) Features(values []float32) Features {
	n := len(values)
	least, greatest := values[0], values[0]
	var sum, square float64
	for _, x := range values {
		least, greatest = min(least, x), max(greatest, x)
		sum += float64(x)
		square += float64(float64(x) * float64(x))
	}
	later := float64(r.Mean(values, n/2) * float64(n/2))
	mean := sum / float64(n)
	spread := math.Sqrt(max(0, square/float64(n)-float64(mean*mean)))
	last := int(r.next) - 1
	if last < 0 {
		last = n - 1
	}
	return Features{
		fixed(float64(values[last])), fixed(mean), fixed(float64(least)), fixed(float64(greatest)), fixed(float64(2 * spread)),
		fixed(later/float64(n/2) - (sum-later)/float64(n-n/2)),
	}
}
