// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/auspex-otel/auspex/eval/score"
)

// opened implements the rule literally: slots at or above the threshold without another one in the preceding
// cooldown.
func opened(scores []float32, from int, threshold float32) (slots []int) {
	last := math.MinInt
	for i, x := range scores {
		if x < threshold {
			continue
		}
		if i >= from && (last == math.MinInt || i-last > cooldown) {
			slots = append(slots, i-from)
		}
		last = i
	}
	return slots
}

func TestOpenings(t *testing.T) {
	scores := make([]float32, 500)
	scores[10], scores[100], scores[101], scores[191], scores[283] = 3, 3, 5, 3, 4
	for _, c := range []struct {
		from      int
		threshold float32
		want      []int
	}{
		{0, 3, []int{10, 283}},    // 100 and 191 continue: within 90 slots of the last one
		{0, 3.5, []int{101, 283}}, // scores below the threshold do not prevent an opening
		{0, 5, []int{101}},
		{0, 5.5, nil},
		{50, 3, []int{233}}, // earlier scores count as part of the cooldown
		{150, 4, []int{133}},
	} {
		var got []int
		for _, r := range rises(scores, c.from) {
			if r.opens(c.threshold) {
				got = append(got, r.slot)
			}
		}
		if !slices.Equal(got, c.want) || !slices.Equal(opened(scores, c.from, c.threshold), c.want) {
			t.Errorf("from %d at %g: %v, want %v", c.from, c.threshold, got, c.want)
		}
	}
}

// TestRisesAgreeWithTheRule verifies that the rises give the same openings as the rule at any threshold, and that the
// lowest threshold is minimal.
func TestRisesAgreeWithTheRule(t *testing.T) {
	r := rngOf(1, "", 0)
	var all []rise
	var series [][]float32
	for range 20 {
		scores := make([]float32, 2000)
		for i := range scores {
			scores[i] = float32(math.Round(-20*math.Log(1-r.Float64())) / 10) // with ties
		}
		series = append(series, scores)
		all = append(all, rises(scores, 300)...)
	}
	count := func(threshold float32) (n int) {
		for _, s := range series {
			n += len(opened(s, 300, threshold))
		}
		return n
	}
	for tenth := 1; tenth < 300; tenth++ {
		threshold := float32(tenth) / 10
		if got, want := openings(all, threshold), count(threshold); got != want {
			t.Errorf("at %g: %d openings, want %d", threshold, got, want)
		}
	}
	const allowed = 7
	lowest := lowestThreshold(all, allowed)
	if n := count(lowest); n > allowed || n == 0 {
		t.Errorf("%d openings at the threshold %g", n, lowest)
	}
	if n := count(math.Nextafter32(lowest, 0)); n <= allowed {
		t.Errorf("%d openings below the threshold %g: it is not the smallest", n, lowest)
	}
	for threshold := lowest; threshold < 40; threshold += 0.05 {
		if n := count(threshold); n > allowed {
			t.Errorf("%d openings at %g, above the threshold", n, threshold)
		}
	}
}

// TestThresholdOfExtremes verifies that constant scores open at no threshold, and that the threshold is just above 0
// without a false opening.
func TestThresholdOfExtremes(t *testing.T) {
	always := slices.Repeat([]float32{7}, 1000)
	if got := rises(always, 500); len(got) != 0 {
		t.Errorf("rises of a constant: %v", got)
	}
	if got := lowestThreshold(nil, 3); !(got > 0) || !(rise{to: 1e-3}).opens(got) {
		t.Errorf("threshold %g where nothing opens", got)
	}
	if got := lowestThreshold([]rise{{0, 0, 5}}, 0.5); !(got > 5) {
		t.Errorf("threshold %g, with no opening allowed and one at 5", got)
	}
}

// TestEvaluate evaluates two series with one event each. The found one counts with its delay. False openings and
// decoys are counted separately.
func TestEvaluate(t *testing.T) {
	sp := specOf("rate", nil)
	sp.Faults, sp.Decoys, sp.Sizes = []string{"spike", "silence", incident}, []string{scaleOutShare, scaleOutNew}, []float64{2, 8}
	event := func(fault, size, decoy int, rises ...rise) result {
		return result{trial: trial{fault: fault, size: size, decoy: decoy}, rises: [][]rise{rises}}
	}
	var outcomes []outcome
	for i := range 20 {
		o := outcome{
			weeks: 1, cadence: 5 * time.Minute,
			quiet: [][]rise{{{slot: 9, above: 0, to: float32(i)}}}, // two of twenty may open: those of 18 and 19
			young: [][]rise{nil},
			trials: []result{
				event(0, 0, -1, rise{0, 0, 17}), event(0, 1, -1, rise{0, 0, 17}, rise{3, 17, 30}),
				event(1, 0, -1), event(-1, 0, 0, rise{0, 0, 30}),
				event(2, 0, -1), event(2, 1, -1),
			},
		}
		if i < 10 {
			o.trials[5] = event(2, 1, -1, rise{i, 0, 30})
			o.young[0] = []rise{{0, 0, 40}}
		}
		outcomes = append(outcomes, o)
	}
	f := evaluate(sp, outcomes, 0, &detectorKind{name: "x"})
	near(t, "threshold", float64(f.threshold), 17, 1e-5)
	near(t, "rate", f.rate, 0.1, 1e-12)
	near(t, "spikes of 2 σ", f.cells[0][0][0].share(), 0, 0)
	near(t, "spikes of 8 σ", f.cells[0][0][1].share(), 1, 0)
	near(t, "family", f.families[0].share, (0.5+0)/2, 1e-12)
	near(t, "incidents of 8 σ", f.cells[1][2][1].share(), 1, 0)
	near(t, "incident row", f.families[1].share, 0.5, 1e-12)
	near(t, "macro", f.macro, (0.25+0.5)/2, 1e-12)
	near(t, "without silence", f.audible.share, 0.5, 1e-12)
	near(t, "delay of a spike", score.Median(f.delays[0]), 3, 0)
	near(t, "delay of an incident: the third of ten", score.Median(f.delays[2]), 2, 0)
	near(t, "delay of spikes in minutes", f.faults[0].delay, 15, 0)
	near(t, "delay of all: 20 spikes after 15 minutes, 20 incidents after 10", f.allDelay, 12.5, 0)
	near(t, "decoy", f.decoys[0].share(), 1, 0)
	near(t, "new series", f.decoys[1].share(), 0.5, 0)
	precision := 0.375 / (0.375 + 0.1 + 0.25*30.0/40)
	near(t, "F1", f.f1, 2*precision*0.375/(precision+0.375), 1e-12)
}

// TestStrike verifies that an incident needs a tenth of the series, and at least three.
func TestStrike(t *testing.T) {
	for _, c := range []struct{ open, want int }{{2, -1}, {3, 5}, {20, 5}} {
		pool := make([][]onset, 20)
		for i := range pool {
			pool[i] = []onset{{slot: -1}}
			if i < c.open {
				pool[i][0] = onset{slot: 5, minutes: 25}
			}
		}
		if got := strike(1, 0, pool); got.slot != c.want {
			t.Errorf("%d of 20 opened: %d, want %d", c.open, got.slot, c.want)
		}
	}
}
