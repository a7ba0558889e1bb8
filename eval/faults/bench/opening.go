// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"cmp"
	"math"
	"slices"
)

// cooldown is how many slots without a score at or above the threshold go before an opening.
const cooldown = 90

// A rise is a slot whose score exceeds those of all the cooldown before it: it is
// an opening at every threshold above the greatest of those and at most its own
// score, and at no other. The rises of a series are all that can be known of its
// openings, at any threshold.
type rise struct {
	slot      int
	above, to float32
}

func (r rise) opens(threshold float32) bool { return r.above < threshold && threshold <= r.to }

// rises returns the rises among scores[from:]; those before from only count as
// what went before. Slots are numbered from scores[from] on.
func rises(scores []float32, from int) []rise {
	var out []rise
	var falling []int // slots of the cooldown that no later one of it exceeds
	for i, x := range scores {
		if len(falling) > 0 && falling[0] < i-cooldown {
			falling = falling[1:]
		}
		above := float32(0)
		if len(falling) > 0 {
			above = scores[falling[0]]
		}
		if i >= from && x > above {
			out = append(out, rise{slot: i - from, above: above, to: x})
		}
		for len(falling) > 0 && scores[falling[len(falling)-1]] <= x {
			falling = falling[:len(falling)-1]
		}
		falling = append(falling, i)
	}
	return out
}

// lowestThreshold returns the smallest threshold above 0 (the score of what is as
// expected) from which on, upward, no threshold gives more than allowed openings.
// Below it lie thresholds with more, and far below may lie some with fewer again,
// where a series is open all the time: those are no thresholds.
func lowestThreshold(all []rise, allowed float64) float32 {
	type end struct {
		score float32
		step  int
	}
	ends := make([]end, 0, 2*len(all))
	for _, r := range all {
		ends = append(ends, end{r.to, 1}, end{r.above, -1})
	}
	slices.SortFunc(ends, func(a, b end) int { return cmp.Compare(b.score, a.score) })
	open := 0
	for i, e := range ends {
		if open += e.step; i+1 < len(ends) && ends[i+1].score == e.score {
			continue
		}
		if float64(open) > allowed {
			return math.Nextafter32(e.score, float32(math.Inf(1)))
		}
	}
	return math.SmallestNonzeroFloat32
}

// openings counts those of the rises at a threshold.
func openings(all []rise, threshold float32) (n int) {
	for _, r := range all {
		if r.opens(threshold) {
			n++
		}
	}
	return n
}

// firstOpening returns the slot of the first, or -1.
func firstOpening(all []rise, threshold float32) int {
	for _, r := range all {
		if r.opens(threshold) {
			return r.slot
		}
	}
	return -1
}
