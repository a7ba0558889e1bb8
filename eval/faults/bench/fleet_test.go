// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"io"
	"slices"
	"testing"
)

// fleetOf draws a fleet of the small spec with its trials.
func fleetOf(t *testing.T) (*spec, []outcome) {
	t.Helper()
	sp, err := parseSpec([]byte(small))
	if err != nil {
		t.Fatal(err)
	}
	outcomes, err := measure(sp, []detectorKind{shipped}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	return sp, outcomes
}

// TestFleetFinds verifies that the shipped detector finds a level shift of 8 σ, and a silence while other series of
// the service continue.
func TestFleetFinds(t *testing.T) {
	sp, outcomes := fleetOf(t)
	found := map[string]*tally{}
	for i := range outcomes {
		for _, r := range outcomes[i].trials {
			if r.fault < 0 || sp.Faults[r.fault] != "silence" && r.size != 1 {
				continue
			}
			name := sp.Faults[r.fault]
			if found[name] == nil {
				found[name] = &tally{}
			}
			found[name].add(outcomes[i].firstOf(r.rises[0], 1))
		}
	}
	for _, name := range []string{"silence", "level up"} {
		if f := found[name]; f == nil || f.share() < 0.5 {
			t.Errorf("%s: found %+v", name, f)
		}
	}
}

// TestForkContinues verifies that a trial without a change gets the engine's original scores.
func TestForkContinues(t *testing.T) {
	sp, err := parseSpec([]byte(small))
	if err != nil {
		t.Fatal(err)
	}
	var all []*watched
	for i := range sp.Families {
		s, _ := newSeries(sp, &sp.Families[i], 0, false)
		w := &watched{service: "a", metric: s.family.Name, at: s.at, present: s.present, value: s.value}
		start := s.warm + 100
		w.trials = []trial{{start: start, value: s.value[start : start+200], present: s.present[start : start+200], silent: true}}
		all = append(all, w)
	}
	all[0].mates, all[1].mates = all[1:], all[:1]
	if err := watchAll(all, io.Discard); err != nil {
		t.Fatal(err)
	}
	for _, w := range all {
		start := w.trials[0].start
		if want := rises(w.scores[start-cooldown:start+200], cooldown); !slices.Equal(w.found[0], want) {
			t.Errorf("%s: %v, want %v", w.metric, w.found[0], want)
		}
		if !slices.ContainsFunc(w.scores, func(x float32) bool { return x > 0 }) {
			t.Errorf("%s: no score", w.metric)
		}
	}
}
