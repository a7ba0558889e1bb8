// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"math"
	"slices"
	"sort"
)

// window holds the last values ordered by time and by size.
type window struct {
	ring, sorted []float64
	next         int
}

func newWindow(size int) window {
	return window{ring: make([]float64, 0, size), sorted: make([]float64, 0, size)}
}

func (w *window) clone() window {
	c := *w
	c.ring, c.sorted = append(make([]float64, 0, cap(w.ring)), w.ring...), append(make([]float64, 0, cap(w.sorted)), w.sorted...)
	return c
}

func (w *window) add(v float64) {
	if len(w.ring) < cap(w.ring) {
		w.ring = append(w.ring, v)
		w.sorted = slices.Insert(w.sorted, sort.SearchFloat64s(w.sorted, v), v)
		return
	}
	from, to := sort.SearchFloat64s(w.sorted, w.ring[w.next]), sort.SearchFloat64s(w.sorted, v)
	w.ring[w.next] = v
	w.next = (w.next + 1) % len(w.ring)
	if to > from { // shift the values in between, so that the place before `to` is free
		to--
		copy(w.sorted[from:to], w.sorted[from+1:to+1])
	} else {
		copy(w.sorted[to+1:from+1], w.sorted[to:from])
	}
	w.sorted[to] = v
}

// quantile returns the value that a share q of the values do not exceed.
func (w *window) quantile(q float64) float64 { return w.sorted[int(q*float64(len(w.sorted)-1))] }

// deviation returns the median of |v - center| by merging the sorted values below and above the center.
func (w *window) deviation(center float64) float64 {
	n := len(w.sorted)
	k := n / 2 // the k smallest deviations are sorted[i : i+k] for some i; the next one is the median
	i := sort.Search(n-k-1, func(i int) bool { return center-w.sorted[i] <= w.sorted[i+k+1]-center })
	return max(math.Abs(center-w.sorted[i]), math.Abs(w.sorted[i+k]-center))
}

// moments holds the mean and variance of all values since the start (Welford).
type moments struct{ n, mean, squares float64 }

func (m *moments) add(v float64) {
	m.n++
	d := v - m.mean
	m.mean += d / m.n
	m.squares += d * (v - m.mean)
}

func (m *moments) sd() float64 { return math.Sqrt(m.squares / max(1, m.n-1)) }

// scaleOr returns the scale. If it is 0, because more than half of the recent values are equal, it returns the
// standard deviation of all values, and at least the rounding error of values such as v.
func (m *moments) scaleOr(scale, v float64) float64 {
	if scale == 0 {
		scale = m.sd()
	}
	return max(scale, 1e-9*math.Abs(v), 1e-12)
}

// residuals computes the robust scale of forecast errors: their 90 % quantile as a standard deviation of normal
// errors. With the median instead, series with many equal values would have a scale of nearly 0.
type residuals struct {
	recent window
	all    moments
}

func newResiduals() residuals { return residuals{recent: newWindow(windowSize)} }

func (r *residuals) clone() residuals { return residuals{r.recent.clone(), r.all} }

// judge returns |e| in scales once there are enough errors, then learns it. v is the value with the error e.
func (r *residuals) judge(e, v float64) (score float64) {
	if len(r.recent.ring) >= warmUp {
		score = math.Abs(e) / r.all.scaleOr(r.recent.quantile(0.9)/1.645, v)
	}
	r.recent.add(math.Abs(e))
	r.all.add(e)
	return score
}
