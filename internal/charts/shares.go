// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package charts

import "time"

const (
	// ShareWidth is the width of a bucket of a ribbon, in event time.
	ShareWidth = 5 * time.Minute
	// shareBuckets is the number of buckets per service: one day.
	shareBuckets = 288
	// maxShares bounds the services that have a ribbon.
	maxShares = 500
)

// Share counts the points of a service that were judged in one bucket, and those of them outside their prediction
// interval.
type Share struct {
	Start   time.Time `json:"start"`
	Judged  uint32    `json:"judged"`
	Outside uint32    `json:"outside"`
}

// ribbon holds the shares of one service. The index of a bucket is its number modulo shareBuckets.
type ribbon struct {
	last    int64 // event time of the newest point
	gone    bool  // it was removed from the store
	buckets [shareBuckets]bucket
}

type bucket struct {
	number          int64
	judged, outside uint32
}

// share counts a point of a line in the ribbon of its service.
func (s *Store) share(l *line, service string, p Point) {
	r := l.ribbon
	if r == nil || r.gone {
		if r = s.shares[service]; r == nil {
			if len(s.shares) >= maxShares {
				return
			}
			r = &ribbon{}
			s.shares[service] = r
		}
		l.ribbon = r
	}
	r.last = max(r.last, p.Time)
	number := p.Time / int64(ShareWidth)
	b := &r.buckets[number%shareBuckets]
	if b.number > number {
		return // older than the stored buckets
	}
	if b.number < number {
		*b = bucket{number: number}
	}
	b.judged++
	if p.Value < p.Lower || p.Value > p.Upper {
		b.outside++
	}
}

// Shares returns the ribbon of every service from an event time on, oldest bucket first, without empty ones.
func (s *Store) Shares(from time.Time) map[string][]Share {
	out := map[string][]Share{}
	walk(s, s.shares, func(name string, r *ribbon) {
		newest := r.last / int64(ShareWidth)
		var list []Share
		for n := max(newest-shareBuckets+1, from.UnixNano()/int64(ShareWidth)); n <= newest; n++ {
			if b := r.buckets[n%shareBuckets]; b.number == n && b.judged > 0 {
				list = append(list, Share{time.Unix(0, n*int64(ShareWidth)).UTC(), b.judged, b.outside})
			}
		}
		if len(list) > 0 {
			out[name] = list
		}
	})
	return out
}
