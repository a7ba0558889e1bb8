// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"
)

// outcome is what the detectors said of one series, in their order.
type outcome struct {
	family int
	weeks  float64
	quiet  [][]rise // without a fault, after the warm-up
	young  [][]rise // in its first day
	trials []result
}

// result is one trial; openings count from its start.
type result struct {
	trial

	rises [][]rise
}

// task is one series to draw and to run.
type task struct {
	family, index int
	planned       bool
}

// plannedEach is how many series there are for one with a planned job.
const plannedEach = 5

func tasks(sp *spec) (all []task) {
	for f := range sp.Families {
		for i := range sp.Series {
			all = append(all, task{family: f, index: i})
		}
		if slices.Contains(sp.Decoys, plannedJob) && hasPlannedJob(&sp.Families[f]) {
			for i := range max(1, sp.Series/plannedEach) {
				all = append(all, task{family: f, index: sp.Series + i, planned: true})
			}
		}
	}
	return all
}

// measure runs all series through all detectors, on all cores. What it returns
// depends on neither their number nor their order.
func measure(sp *spec, detectors []detectorKind, progress io.Writer) ([]outcome, error) {
	all := tasks(sp)
	out, errs := make([]outcome, len(all)), make([]error, len(all))
	next := make(chan int)
	var lock sync.Mutex
	var wait sync.WaitGroup
	done := 0
	for range runtime.GOMAXPROCS(0) {
		wait.Go(func() {
			for i := range next {
				out[i], errs[i] = run1(sp, all[i], detectors)
				lock.Lock()
				done++
				fmt.Fprintf(progress, "\r%d/%d series  ", done, len(all))
				lock.Unlock()
			}
		})
	}
	for i := range all {
		next <- i
	}
	close(next)
	wait.Wait()
	fmt.Fprintln(progress)
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// run1 draws one series and what is tried on it, and runs each detector over it.
func run1(sp *spec, t task, detectors []detectorKind) (outcome, error) {
	s, windows := newSeries(sp, &sp.Families[t.family], t.index, t.planned)
	o := outcome{family: t.family}
	var trials []trial
	if t.planned {
		o.trials = plannedRuns(sp, windows)
	} else {
		o.weeks = s.weeks()
		trials = s.trials(sp, t.index)
		for _, tr := range trials {
			o.trials = append(o.trials, result{trial: tr})
		}
	}
	for _, k := range detectors {
		scores, found, err := s.watch(k, uint64(t.family*1000+t.index), trials)
		if err != nil {
			return o, err
		}
		if t.planned {
			for i, w := range windows {
				from, to := w[0], min(w[1]+grace, len(scores))
				o.trials[i].rises = append(o.trials[i].rises, rises(scores[from-holdOff:to], holdOff))
			}
			continue
		}
		o.quiet = append(o.quiet, rises(scores, s.warm))
		o.young = append(o.young, rises(scores[:s.perDay()], 0))
		for i, r := range found {
			o.trials[i].rises = append(o.trials[i].rises, r)
		}
	}
	for i := range o.trials {
		o.trials[i].value, o.trials[i].present = nil, nil
	}
	return o, nil
}

// plannedRuns returns a trial for each run of a planned job.
func plannedRuns(sp *spec, windows [][2]int) (all []result) {
	for range windows {
		all = append(all, result{trial: trial{fault: -1, decoy: slices.Index(sp.Decoys, plannedJob)}})
	}
	return all
}

// watch runs one detector over the series without a fault, and for each trial a
// clone of it, taken at the trial's start, over what comes instead.
func (s *series) watch(k detectorKind, seed uint64, trials []trial) (scores []float32, found [][]rise, err error) {
	d := k.fresh(s.cadence, seed)
	scores, found = make([]float32, 0, s.slots()), make([][]rise, 0, len(trials))
	for i := range s.slots() {
		for len(found) < len(trials) && trials[len(found)].start == i {
			t, c := trials[len(found)], d.Clone()
			window := slices.Clone(scores[i-holdOff : i])
			for j := range t.value {
				if window, err = s.ask(c, i+j, t.value[j], t.present[j], window); err != nil {
					return nil, nil, fmt.Errorf("%s: %w", k.name, err)
				}
			}
			found = append(found, rises(window, holdOff))
		}
		if scores, err = s.ask(d, i, s.value[i], s.present[i], scores); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", k.name, err)
		}
	}
	return scores, found, nil
}

// ask appends the score of a slot.
func (s *series) ask(d Detector, i int, v float64, present bool, scores []float32) ([]float32, error) {
	var score float64
	if present {
		score = d.Observe(s.at[i], v)
	} else {
		score = d.Absent(s.at[i])
	}
	if !(score >= 0) {
		return nil, fmt.Errorf("a score of %g at slot %d of a series of %q", score, i, s.family.Name)
	}
	return append(scores, float32(score)), nil
}
