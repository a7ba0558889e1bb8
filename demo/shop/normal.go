// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package shop

import "math"

// Moments holds the recent mean of a series and its standard deviation per interval.
type Moments struct {
	Mean, Sigma float64
}

// Normal describes the normal behavior of one service at this time of day.
type Normal struct {
	// Requests and Failed are counts per interval. Latency is the mean latency in seconds.
	Requests, Failed, Latency Moments
}

// Record stores the last intervals of every service, to determine their normal behavior.
type Record struct {
	size, next int
	full       bool
	values     [][3][]float64 // by service: requests, failed, mean latency
}

// NewRecord returns a record of the last size intervals of the given number of services.
func NewRecord(services, size int) *Record {
	r := &Record{size: size, values: make([][3][]float64, services)}
	for i := range r.values {
		for k := range r.values[i] {
			r.values[i][k] = make([]float64, size)
		}
	}
	return r
}

// Add adds an interval to the record.
func (r *Record) Add(iv *Interval) {
	for i := range iv.Services {
		a := &iv.Services[i]
		r.values[i][0][r.next] = float64(len(a.Latencies))
		r.values[i][1][r.next] = float64(a.Failed)
		r.values[i][2][r.next] = a.Mean()
	}
	r.next = (r.next + 1) % r.size
	r.full = r.full || r.next == 0
}

// Normal returns the normal behavior of a service: the moments of its recorded series around a fitted line, so that
// the daily trend does not count as noise. The mean is the end of the line. It returns zero values before the record
// is full.
func (r *Record) Normal(service int) Normal {
	if !r.full {
		return Normal{}
	}
	v := r.values[service]
	return Normal{Requests: r.moments(v[0]), Failed: r.moments(v[1]), Latency: r.moments(v[2])}
}

// moments fits y = a + b·x by least squares over the ring, oldest value first.
func (r *Record) moments(ring []float64) Moments {
	n := float64(r.size)
	mid := (n - 1) / 2
	var sy, sxy, sxx, syy float64
	for k := range r.size {
		x, y := float64(k)-mid, ring[(r.next+k)%r.size]
		sy += y
		sxy += x * y
		sxx += x * x
	}
	mean, slope := sy/n, sxy/sxx
	for k := range r.size {
		d := ring[(r.next+k)%r.size] - mean - slope*(float64(k)-mid)
		syy += d * d
	}
	return Moments{Mean: mean + slope*mid, Sigma: math.Sqrt(syy / (n - 2))}
}
