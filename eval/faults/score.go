// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"math"
	"slices"
)

const (
	allowedRate  = 0.1  // openings per series-week without a fault
	decoysAWeek  = 0.25 // in the event F1, beside one fault a series-week
	incidents    = 20   // drawn for each size
	smallestTeam = 20   // series of an incident
	largestTeam  = 200
)

// tally counts what was there and what was found.
type tally struct{ n, found int }

func (t *tally) add(found bool) {
	t.n++
	if found {
		t.found++
	}
}

// share is NaN of nothing.
func (t tally) share() float64 { return float64(t.found) / float64(t.n) }

// figures are what the tables show of one detector.
type figures struct {
	name      string
	threshold float32
	rate      float64     // openings per series-week without a fault
	rates     []float64   // the same by family
	cells     [][][]tally // events by family (the last row: incidents), fault and size
	decoys    []tally     // decoys and the openings in them
	delays    [][]int     // at the largest size, by fault, of events found
	families  []float64   // recall: mean over faults of the mean over sizes
	faults    []float64   // recall: mean over families of the mean over sizes
	macro     float64     // mean of families
	byFamily  float64     // macro recall with a threshold for each family
	bySeries  float64     // and for each series
	audible   float64     // the same without silence
	f1        float64
	delay     float64 // median over all delays of sized faults
}

// evaluate returns the figures of the detector of that index.
func evaluate(sp *spec, outcomes []outcome, index int, name string) *figures {
	f := &figures{name: name, decoys: make([]tally, len(sp.Decoys)), delays: make([][]int, len(sp.Faults))}
	f.calibrate(sp, outcomes, index)
	for range len(sp.Families) + 1 {
		f.cells = append(f.cells, newRow(sp))
	}
	for _, o := range outcomes {
		f.count(sp, &o, index)
	}
	f.countIncidents(sp, outcomes, index)
	f.summarise(sp)
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
		if len(o.quiet) == 0 {
			continue // with a planned job
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
		slot := firstOpening(r.rises[index], f.threshold)
		switch {
		case r.fault < 0:
			d := &f.decoys[r.decoy]
			d.n++
			d.found += openings(r.rises[index], f.threshold)
		case sp.Faults[r.fault] != incident:
			f.cells[o.family][r.fault][r.size].add(slot >= 0)
			f.delayed(sp, &r.trial, slot)
		}
	}
	if d := slices.Index(sp.Decoys, scaleOutNew); d >= 0 && len(o.young) > 0 {
		f.decoys[d].n++
		f.decoys[d].found += openings(o.young[index], f.threshold)
	}
}

// delayed keeps the delay of an event of the largest size, if it was found.
func (f *figures) delayed(sp *spec, t *trial, slot int) {
	if slot >= 0 && t.size == len(sp.Sizes)-1 {
		f.delays[t.fault] = append(f.delays[t.fault], slot)
	}
}

// countIncidents draws which series an incident strikes: 20 to 200 of all, each
// once. It is found when a tenth of them, and at least three, have opened.
func (f *figures) countIncidents(sp *spec, outcomes []outcome, index int) {
	fault := slices.Index(sp.Faults, incident)
	if fault < 0 {
		return
	}
	for size := range sp.Sizes {
		var pool [][]int // for each series the first openings of its trials, -1 for none
		for _, o := range outcomes {
			var slots []int
			for _, r := range o.trials {
				if r.fault == fault && r.size == size {
					slots = append(slots, firstOpening(r.rises[index], f.threshold))
				}
			}
			if len(slots) > 0 {
				pool = append(pool, slots)
			}
		}
		if len(pool) < smallestTeam {
			continue
		}
		for i := range incidents {
			slot := strike(sp.Seed, i, pool)
			f.cells[len(sp.Families)][fault][size].add(slot >= 0)
			f.delayed(sp, &trial{fault: fault, size: size}, slot)
		}
	}
}

// strike returns when the i-th incident is found, or -1. The series that it strikes depend on the seed alone.
func strike(seed uint64, i int, pool [][]int) int {
	r := rngOf(seed, incident, i)
	team := int(span{smallestTeam, float64(min(largestTeam, len(pool)))}.draw(r))
	var opened []int
	for _, p := range r.Perm(len(pool))[:team] {
		if slot := choose(r, pool[p]); slot >= 0 {
			opened = append(opened, slot)
		}
	}
	need := max(3, (team+9)/10)
	if len(opened) < need {
		return -1
	}
	slices.Sort(opened)
	return opened[need-1]
}

// recallApart is the macro recall, incidents left out, that one threshold for
// each group of series would give, as if somebody had tuned the detector to each
// after the fact: it tells how much of what a detector lacks is that its scores
// mean other things elsewhere. A group never spans families.
func recallApart(sp *spec, outcomes []outcome, index int, group func(i int) int) float64 {
	quiet, weeks := map[int][]rise{}, map[int]float64{}
	for i, o := range outcomes {
		if len(o.quiet) > 0 {
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
				rows[o.family][r.fault][r.size].add(firstOpening(r.rises[index], threshold[group(i)]) >= 0)
			}
		}
	}
	var recalls []float64
	for _, row := range rows {
		recalls = append(recalls, mean(known(recallsOf(row))))
	}
	return mean(known(recalls))
}

// recallsOf returns, for each fault of a row, the mean over its sizes; NaN where nothing was tried.
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

// summarise fills the means.
func (f *figures) summarise(sp *spec) {
	byFault := make([][]float64, len(sp.Faults))
	var audible []float64
	silence := slices.Index(sp.Faults, "silence")
	for _, row := range f.cells {
		recalls := recallsOf(row)
		for j, r := range recalls {
			byFault[j] = append(byFault[j], r)
		}
		f.families = append(f.families, mean(known(recalls)))
		if silence >= 0 {
			recalls[silence] = math.NaN()
		}
		audible = append(audible, mean(known(recalls)))
	}
	for _, of := range byFault {
		f.faults = append(f.faults, mean(known(of)))
	}
	f.macro, f.audible = mean(known(f.families)), mean(known(audible))
	f.f1 = f.eventF1()
	var all []int
	for j, d := range f.delays {
		if isSized(sp.Faults[j]) {
			all = append(all, d...)
		}
	}
	f.delay = median(all)
}

// eventF1 is the harmonic mean of recall and precision where each series has one
// fault a week, of the bench's mix, and a decoy in four:
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

func mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

// known leaves out what is NaN: rows in which nothing was tried.
func known(x []float64) []float64 {
	return slices.DeleteFunc(slices.Clone(x), math.IsNaN)
}

// median is NaN of nothing.
func median(x []int) float64 {
	if len(x) == 0 {
		return math.NaN()
	}
	x = slices.Clone(x)
	slices.Sort(x)
	return float64(x[(len(x)-1)/2]+x[len(x)/2]) / 2
}

// best returns the baseline with the greatest macro recall, the first of equals.
func best(baselines []*figures) *figures {
	return slices.MaxFunc(baselines, func(a, b *figures) int { return cmp.Compare(a.macro, b.macro) })
}
