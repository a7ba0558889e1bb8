// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"math"

	"github.com/auspex-otel/auspex/internal/exact"
)

// A sketch has four buckets per octave, from a microsecond to an hour, so that quantiles have an error of at most a
// tenth.
const (
	sketchBuckets = 128
	perOctave     = 4
	leastTime     = 1000 // nanoseconds
)

// Sketch is a histogram of durations of fixed size. The zero value is empty.
type Sketch struct {
	count [sketchBuckets]uint32
	n     uint64
}

func (s *Sketch) add(duration int64) {
	j := 0
	if duration > leastTime {
		j = min(sketchBuckets-1, 1+int(perOctave*exact.Log2(float64(duration)/leastTime)))
	}
	s.count[j]++
	s.n++
}

// Count returns the number of durations.
func (s *Sketch) Count() uint64 { return s.n }

// Quantile returns the duration in nanoseconds that the share q of all do not exceed, or NaN without durations.
func (s *Sketch) Quantile(q float64) float64 {
	if s.n == 0 {
		return math.NaN()
	}
	rank := float64(q * float64(s.n))
	below := 0.0
	for j, c := range s.count {
		if c == 0 || below+float64(c) < rank {
			below += float64(c)
			continue
		}
		if j == 0 {
			return leastTime
		}
		part := (rank - below) / float64(c)
		return float64(leastTime * exact.Exp2((float64(j-1)+max(0, part))/perOctave))
	}
	return float64(leastTime * exact.Exp2((sketchBuckets-1)/perOctave))
}
