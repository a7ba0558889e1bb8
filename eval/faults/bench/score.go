// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"cmp"
	"math"
	"slices"

	"github.com/auspex-otel/auspex/eval/score"
)

const (
	allowedRate  = 0.1  // openings per series-week without a fault
	decoysAWeek  = 0.25 // in the event F1, besides one fault per series-week
	incidents    = 20   // drawn for each size
	smallestTeam = 20   // series in an incident
	largestTeam  = 200
)

// tally counts existing and found events, with the delays of the found ones.
type tally struct {
	n, found int
	minutes  []float64
}

// onset is the time at which an event was found, from its start: the first opening within it. slot is -1 if it was
// not found.
type onset struct {
	slot    int
	minutes float64
}

// firstOf returns the first opening of a trial.
func (o *outcome) firstOf(all []rise, threshold float32) onset {
	slot := firstOpening(all, threshold)
	return onset{slot, float64(slot) * o.cadence.Minutes()}
}

func (t *tally) add(at onset) {
	t.n++
	if at.slot >= 0 {
		t.found++
		t.minutes = append(t.minutes, at.minutes)
	}
}

// share returns the share found, or NaN without events.
func (t tally) share() float64 { return float64(t.found) / float64(t.n) }

// figures holds the table values of one detector.
type figures struct {
	name      string
	role      role
	threshold float32
	rate      float64     // openings per series-week without a fault
	rates     []float64   // the same by family
	cells     [][][]tally // events by family (the last row: incidents), fault and size
	decoys    []tally     // decoys and the openings in them
	delays    [][]float64 // in slots, at the largest size, by fault, of events found
	families  []recall    // mean over faults of the mean over sizes
	faults    []recall    // mean over families of the mean over sizes
	sizes     []recall    // mean over families and faults that have sizes
	macro     float64     // mean of families
	byFamily  recall      // macro recall with a threshold for each family
	bySeries  recall      // and for each series
	audible   recall      // without silence
	f1        float64
	allDelay  float64 // median over all events found, in minutes
	delay     float64 // median over all delays of sized faults at the largest size, in slots
}

// recall is a share of events found, and the median of their delays in minutes.
type recall struct{ share, delay float64 }

// evaluate returns the figures of the detector of that index.
func evaluate(sp *spec, outcomes []outcome, index int, of *detectorKind) *figures {
	f := &figures{name: of.name, role: of.role, decoys: make([]tally, len(sp.Decoys)), delays: make([][]float64, len(sp.Faults))}
	f.calibrate(sp, outcomes, index)
	for range len(sp.Families) + 1 {
		f.cells = append(f.cells, newRow(sp))
	}
	for _, o := range outcomes {
		f.count(sp, &o, index)
	}
	f.countIncidents(sp, outcomes, index)
	f.summarize(sp)
	f.byFamily = recallApart(sp, outcomes, index, func(i int) int { return outcomes[i].family })
	f.bySeries = recallApart(sp, outcomes, index, func(i int) int { return i })
	return f
}

// newRow holds nothing yet of each fault and size.
func newRow(sp *spec) (row [][]tally) {
	for range sp.Faults {
		row = append(row, make([]tally, len(sp.Sizes)))
	}
	return row
}

// calibrate finds the one threshold, and what it gives by family.
func (f *figures) calibrate(sp *spec, outcomes []outcome, index int) {
	var all []rise
	weeks := 0.0
	by, byWeeks := make([][]rise, len(sp.Families)), make([]float64, len(sp.Families))
	for _, o := range outcomes {
		if o.planned() {
			continue
		}
		all = append(all, o.quiet[index]...)
		weeks += o.weeks
		by[o.family] = append(by[o.family], o.quiet[index]...)
		byWeeks[o.family] += o.weeks
	}
	f.threshold = lowestThreshold(all, allowedRate*weeks)
	f.rate = float64(openings(all, f.threshold)) / weeks
	for i := range by {
		f.rates = append(f.rates, float64(openings(by[i], f.threshold))/byWeeks[i])
	}
}

// count adds the trials of one series.
func (f *figures) count(sp *spec, o *outcome, index int) {
	for _, r := range o.trials {
		at := o.firstOf(r.rises[index], f.threshold)
		switch {
		case r.fault < 0:
			d := &f.decoys[r.decoy]
			d.n++
			d.found += openings(r.rises[index], f.threshold)
		case sp.Faults[r.fault] != incident:
			f.cells[o.family][r.fault][r.size].add(at)
			f.delayed(sp, &r.trial, at)
		}
	}
	if d := slices.Index(sp.Decoys, scaleOutNew); d >= 0 && !o.planned() {
		f.decoys[d].n++
		f.decoys[d].found += openings(o.young[index], f.threshold)
	}
}

// delayed keeps the delay of an event of the largest size, if it was found.
func (f *figures) delayed(sp *spec, t *trial, at onset) {
	if at.slot >= 0 && t.size == len(sp.Sizes)-1 {
		f.delays[t.fault] = append(f.delays[t.fault], float64(at.slot))
	}
}

// countIncidents draws the series of each incident: 20 to 200 of all, each once. An incident is found when a tenth of
// them, and at least three, have opened.
func (f *figures) countIncidents(sp *spec, outcomes []outcome, index int) {
	fault := slices.Index(sp.Faults, incident)
	if fault < 0 {
		return
	}
	for size := range sp.Sizes {
		var pool [][]onset // for each series the first openings of its trials
		for _, o := range outcomes {
			var of []onset
			for _, r := range o.trials {
				if r.fault == fault && r.size == size {
					of = append(of, o.firstOf(r.rises[index], f.threshold))
				}
			}
			if len(of) > 0 {
				pool = append(pool, of)
			}
		}
		if len(pool) < smallestTeam {
			continue
		}
		for i := range incidents {
			at := strike(sp.Seed, i, pool)
			f.cells[len(sp.Families)][fault][size].add(at)
			f.delayed(sp, &trial{fault: fault, size: size}, at)
		}
	}
}

// strike returns the onset of the i-th incident. Its series depend only on the seed.
func strike(seed uint64, i int, pool [][]onset) onset {
	r := rngOf(seed, incident, i)
	team := int(span{smallestTeam, float64(min(largestTeam, len(pool)))}.draw(r))
	var found []onset
	for _, p := range r.Perm(len(pool))[:team] {
		if at := choose(r, pool[p]); at.slot >= 0 {
			found = append(found, at)
		}
	}
	need := max(3, (team+9)/10)
	if len(found) < need {
		return onset{slot: -1}
	}
	slices.SortFunc(found, func(a, b onset) int {
		return cmp.Or(cmp.Compare(a.slot, b.slot), cmp.Compare(a.minutes, b.minutes))
	})
	return found[need-1]
}

// recallApart returns the macro recall, without incidents, that a separate threshold for each group of series would
// give, chosen after the fact. It shows how much recall is lost because scores have different meanings in different
// groups. A group never spans families.
func recallApart(sp *spec, outcomes []outcome, index int, group func(i int) int) recall {
	quiet, weeks := map[int][]rise{}, map[int]float64{}
	for i, o := range outcomes {
		if !o.planned() {
			g := group(i)
			quiet[g], weeks[g] = append(quiet[g], o.quiet[index]...), weeks[g]+o.weeks
		}
	}
	threshold := map[int]float32{}
	for g := range quiet {
		threshold[g] = lowestThreshold(quiet[g], allowedRate*weeks[g])
	}
	rows := make([][][]tally, len(sp.Families))
	for i := range rows {
		rows[i] = newRow(sp)
	}
	for i, o := range outcomes {
		for _, r := range o.trials {
			if r.fault >= 0 && sp.Faults[r.fault] != incident {
				rows[o.family][r.fault][r.size].add(o.firstOf(r.rises[index], threshold[group(i)]))
			}
		}
	}
	var recalls []float64
	for _, row := range rows {
		recalls = append(recalls, mean(known(recallsOf(row))))
	}
	return recall{mean(known(recalls)), delayOf(slices.Concat(slices.Concat(rows...)...))}
}

// delayOf returns the median delay, in minutes, of the found events.
func delayOf(all []tally) float64 {
	var minutes []float64
	for _, t := range all {
		minutes = append(minutes, t.minutes...)
	}
	return score.Median(minutes)
}

// recallsOf returns the mean over sizes for each fault of a row, or NaN without trials.
func recallsOf(row [][]tally) (recalls []float64) {
	for _, sizes := range row {
		var of []float64
		for _, t := range sizes {
			of = append(of, t.share())
		}
		recalls = append(recalls, mean(known(of)))
	}
	return recalls
}

// summarize computes the means.
func (f *figures) summarize(sp *spec) {
	byFault, silence := make([][]float64, len(sp.Faults)), slices.Index(sp.Faults, "silence")
	var families, audible []float64
	var everything, heard []tally
	for _, row := range f.cells {
		recalls := recallsOf(row)
		for j, r := range recalls {
			byFault[j] = append(byFault[j], r)
			everything = append(everything, row[j]...)
			if j != silence {
				heard = append(heard, row[j]...)
			}
		}
		f.families = append(f.families, recall{mean(known(recalls)), delayOf(slices.Concat(row...))})
		families = append(families, f.families[len(f.families)-1].share)
		if silence >= 0 {
			recalls[silence] = math.NaN()
		}
		audible = append(audible, mean(known(recalls)))
	}
	for j, of := range byFault {
		var cells []tally
		for _, row := range f.cells {
			cells = append(cells, row[j]...)
		}
		f.faults = append(f.faults, recall{mean(known(of)), delayOf(cells)})
	}
	for i := range sp.Sizes {
		f.sizes = append(f.sizes, f.ofSize(sp, i))
	}
	f.macro, f.allDelay = mean(known(families)), delayOf(everything)
	f.audible = recall{mean(known(audible)), delayOf(heard)}
	f.f1 = f.eventF1()
	var all []float64
	for j, d := range f.delays {
		if isSized(sp.Faults[j]) {
			all = append(all, d...)
		}
	}
	f.delay = score.Median(all)
}

// ofSize returns the recall at one size, over the faults that have sizes.
func (f *figures) ofSize(sp *spec, size int) recall {
	var rows []float64
	var tried []tally
	for _, row := range f.cells {
		var of []float64
		for j, cells := range row {
			if isSized(sp.Faults[j]) && cells[size].n > 0 {
				of = append(of, cells[size].share())
				tried = append(tried, cells[size])
			}
		}
		rows = append(rows, mean(of))
	}
	return recall{mean(known(rows)), delayOf(tried)}
}

// eventF1 returns the harmonic mean of recall and precision if each series has one fault per week, in the bench's
// proportions, and a quarter of a decoy:
//
//	precision = recall / (recall + openings per series-week + ¼·openings per decoy)
func (f *figures) eventF1() float64 {
	var decoys tally
	for _, d := range f.decoys {
		decoys.n += d.n
		decoys.found += d.found
	}
	wrong := f.rate
	if decoys.n > 0 {
		wrong += decoysAWeek * decoys.share()
	}
	if f.macro == 0 {
		return 0
	}
	precision := f.macro / (f.macro + wrong)
	return 2 * precision * f.macro / (precision + f.macro)
}

func mean(x []float64) float64 { return score.Mean(x) }

// known removes NaN values, which belong to rows without trials.
func known(x []float64) []float64 {
	return slices.DeleteFunc(slices.Clone(x), math.IsNaN)
}

// best returns the first row with the greatest macro recall.
func best(rows []*figures) *figures {
	return slices.MaxFunc(rows, func(a, b *figures) int { return cmp.Compare(a.macro, b.macro) })
}
