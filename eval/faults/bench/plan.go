// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// A trial is one fault or decoy in one series: the changed slots from its start to the end of its grace.
type trial struct {
	fault, size int // indices into the spec's; size is 0 for faults without sizes
	decoy       int // index into the spec's decoys, -1 for a fault
	event       int
	start       int
	silent      bool
	value       []float64
	present     []bool
}

// Decoys. A planned job is drawn with its series. The new series of a scale-out are the first days of all series. The
// others are changes.
const (
	plannedJob     = "planned job"
	scaleOutShare  = "scale-out, share"
	scaleOutNew    = "scale-out, new"
	trafficDoubled = "traffic doubled"
)

var decoyNames = []string{plannedJob, scaleOutShare, scaleOutNew, trafficDoubled}

// hasPlannedJob reports whether a planned job is possible for a family's kind.
func hasPlannedJob(f *family) bool {
	return f.Kind == "rate" || f.Kind == "latency" || f.Kind == "gauge"
}

// trials returns the trials of a series, by start. A fault begins at a slot with a point. All sizes of a fault begin
// at the same slot, if possible.
func (s *series) trials(sp *spec, index int) []trial {
	var all []trial
	for event := range sp.Events {
		for f, name := range sp.Faults {
			k := faultKinds[slices.Index(faultNames(), name)]
			if slices.Contains(kinds[s.family.Kind].not, name) {
				continue
			}
			for size := range sp.Sizes {
				if size > 0 && !k.sized {
					break
				}
				r := rngOf(sp.Seed, s.family.Name+"/"+name, index*1000+event)
				all = s.addTrial(all, trial{fault: f, size: size, decoy: -1, event: event}, s.changeOf(k, r, sp.Sizes[size]))
			}
		}
		for d, name := range sp.Decoys {
			r := rngOf(sp.Seed, s.family.Name+"/"+name, index*1000+event)
			all = s.addTrial(all, trial{fault: -1, decoy: d, event: event}, s.decoyOf(name, r))
		}
	}
	slices.SortStableFunc(all, func(a, b trial) int { return cmp.Compare(a.start, b.start) })
	return all
}

func (s *series) addTrial(all []trial, t trial, c *change) []trial {
	if c == nil {
		return all
	}
	t.start, t.silent = c.start, c.silent
	t.value, t.present = c.apply(s)
	return append(all, t)
}

// drawStart leaves room for the longest fault, and for a day in which to search for a peak.
func (s *series) drawStart(r *rand.Rand) int {
	room := s.perDay() + max(240, seasonSlots(s)) + 2*grace + 1
	return s.nextPresent(s.warm + r.IntN(s.slots()-s.warm-room))
}

func (s *series) changeOf(k faultKind, r *rand.Rand, size float64) *change {
	sign := 1.0
	if down := r.IntN(2) == 0; down && !slices.Contains(kinds[s.family.Kind].not, "level down") {
		sign = -1
	}
	return k.make(s, r, s.drawStart(r), size, sign)
}

// decoyOf returns a decoy of 120 slots, or nil if it is not possible.
func (s *series) decoyOf(name string, r *rand.Rand) *change {
	c := newChange(s.drawStart(r), 120)
	kind := s.family.Kind
	switch {
	case name == scaleOutShare && kind == "rate":
		// A new instance, next to 4 to 15 existing ones, takes its share of the load within five slots.
		rest := float64(4 + r.IntN(12))
		for j := range c.add {
			c.add[j] = -s.center[c.start+j] / (rest + 1) * min(1, float64(j+1)/5)
		}
	case name == trafficDoubled && kind == "error_ratio":
		c.traffic = 2
	case name == trafficDoubled && kind == "cache_ratio":
		// The mean is over twice the requests.
		c.gain = slices.Repeat([]float64{math.Sqrt(0.5)}, 120)
	default:
		return nil
	}
	return c
}
