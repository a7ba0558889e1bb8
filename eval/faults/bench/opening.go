// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"cmp"
	"math"
	"slices"
)

// cooldown is the number of slots below the threshold that must precede an opening.
const cooldown = 90

// A rise is a slot whose score exceeds those of the whole preceding cooldown. It is an opening exactly at the
// thresholds above the greatest of those and at most its own score. The rises of a series determine its openings at
// any threshold.
type rise struct {
	slot      int
	above, to float32
}

func (r rise) opens(threshold float32) bool { return r.above < threshold && threshold <= r.to }

// rises returns the rises among scores[from:]. Earlier scores count only as part of the cooldown. Slots are numbered
// from scores[from] on.
func rises(scores []float32, from int) []rise {
	var out []rise
	var falling []int // slots of the cooldown that no later slot exceeds
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

// lowestThreshold returns the smallest threshold above 0 (the score of an expected point) above which no threshold
// has more than allowed openings. Far lower thresholds may also have fewer openings, because a series is then open
// permanently. Those are not considered.
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

// openings returns the number of rises that are openings at a threshold.
func openings(all []rise, threshold float32) (n int) {
	for _, r := range all {
		if r.opens(threshold) {
			n++
		}
	}
	return n
}

// firstOpening returns the slot of the first opening, or -1.
func firstOpening(all []rise, threshold float32) int {
	for _, r := range all {
		if r.opens(threshold) {
			return r.slot
		}
	}
	return -1
}
