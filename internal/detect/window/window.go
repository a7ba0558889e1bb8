// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package window

import "math"

// Length is how many values are kept.
const Length = 120

// Scales are the lengths of the windows that are described.
var Scales = [...]int{8, 30, Length}

// Dims is the number of features of one window.
const Dims = 6

// Features describes one window, in units of the range: last, mean, least,
// greatest, twice the standard deviation, and the mean of its later half less
// that of its earlier half. The first four are relative to the origin.
// They are fixed-point numbers: One is a range.
type Features [Dims]int16

// One is a whole range in Features.
const One = 1024

// fixed returns x, in ranges, as a fixed-point number: at most 32 ranges either way.
func fixed(x float64) int16 {
	return int16(max(-math.MaxInt16, min(math.MaxInt16, math.RoundToEven(x*One))))
}

// sums are the running sums of one window.
type sums struct {
	whole, square, later float64
	least, greatest      float32
}

// Window holds the latest Length values. The zero value is empty; Set must give
// it an origin and a range before the first Push.
type Window struct {
	origin, span float64
	ring         [Length]float32
	sums         [len(Scales)]sums
	next         uint8
	n            uint8 // values held
}

// Set gives an empty window its origin and range, range > 0, in the unit of the series.
func (w *Window) Set(origin, span float64) { w.origin, w.span = origin, span }

// Spans tells whether the range is that from low to high, or none where these are equal.
func (w *Window) Spans(low, high float64) bool {
	if low == high {
		return w.span == 0
	}
	return w.origin == low && w.span == high-low
}

// Full tells whether the window of the given scale is filled.
func (w *Window) Full(scale int) bool { return int(w.n) >= Scales[scale] }

// back returns the value k steps before the latest, 0 being the latest.
func (w *Window) back(k int) float32 {
	i := int(w.next) - 1 - k
	if i < 0 {
		i += Length
	}
	return w.ring[i]
}

// Push takes the next value in.
func (w *Window) Push(v float64) {
	var x float32
	if w.span > 0 {
		x = float32((v - w.origin) / w.span)
	}
	if math.IsInf(float64(x), 0) {
		x = float32(math.Copysign(math.MaxFloat32, float64(x)))
	}
	for i, length := range Scales {
		s := &w.sums[i]
		var leaving float32
		rescan := false
		if int(w.n) >= length {
			leaving = w.back(length - 1)
			rescan = leaving == s.least || leaving == s.greatest
			s.whole -= float64(leaving)
			s.square -= float64(leaving) * float64(leaving)
		}
		if int(w.n) >= length/2 {
			s.later -= float64(w.back(length/2 - 1))
		}
		s.whole += float64(x)
		s.square += float64(x) * float64(x)
		s.later += float64(x)
		if w.n == 0 || x < s.least {
			s.least = x
		}
		if w.n == 0 || x > s.greatest {
			s.greatest = x
		}
		if rescan {
			s.least, s.greatest = x, x
			for k := range length - 1 {
				b := w.back(k)
				if b < s.least {
					s.least = b
				}
				if b > s.greatest {
					s.greatest = b
				}
			}
		}
	}
	w.ring[w.next] = x
	if w.next++; w.next == Length {
		w.next = 0
	}
	if w.n < Length {
		w.n++
	}
	if w.next == 0 {
		w.recompute()
	}
}

// recompute sums anew, so that rounding does not add up.
func (w *Window) recompute() {
	for i, length := range Scales {
		s := &w.sums[i]
		s.whole, s.square, s.later = 0, 0, 0
		for k := range min(length, int(w.n)) {
			b := float64(w.back(k))
			s.whole += b
			s.square += b * b
			if k < length/2 {
				s.later += b
			}
		}
	}
}

// Features describes the latest values at a scale that is Full.
func (w *Window) Features(scale int) Features {
	s, length := &w.sums[scale], float64(Scales[scale])
	half := float64(Scales[scale] / 2)
	mean := s.whole / length
	spread := math.Sqrt(max(0, s.square/length-mean*mean))
	return Features{
		fixed(float64(w.back(0))), fixed(mean), fixed(float64(s.least)), fixed(float64(s.greatest)), fixed(2 * spread),
		fixed(s.later/half - (s.whole-s.later)/(length-half)),
	}
}

// Resize changes origin and range and converts what is held.
func (w *Window) Resize(origin, span float64) {
	scale, shift := w.span/span, (w.origin-origin)/span
	for i := range w.n {
		w.ring[i] = float32(float64(w.ring[i])*scale + shift)
	}
	for i := range w.sums {
		s := &w.sums[i]
		s.least = float32(float64(s.least)*scale + shift)
		s.greatest = float32(float64(s.greatest)*scale + shift)
	}
	w.origin, w.span = origin, span
	w.recompute()
}

// Mean returns the mean of the latest k values, or of those there are, in the unit of the series.
func (w *Window) Mean(k int) float64 {
	k = min(k, int(w.n))
	sum := 0.0
	for i := range k {
		sum += float64(w.back(i))
	}
	return w.origin + w.span*sum/float64(k)
}

// Last writes the latest values, as many as fit, into vs, the oldest first.
func (w *Window) Last(vs []float64) {
	for i := range vs {
		vs[i] = w.origin + w.span*float64(w.back(len(vs)-1-i))
	}
}
