// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"
	"time"
)

// outcome holds the results of the detectors on one series, in their order.
type outcome struct {
	family  int
	cadence time.Duration
	weeks   float64  // weeks that count; 0 for a series with a planned job
	warm    int      // slots that do not count
	windows [][2]int // runs of the planned job
	quiet   [][]rise // without a fault, after the warm-up
	young   [][]rise // in its first day
	trials  []result
}

// planned reports whether the series has a planned job. Nothing else of such a series counts.
func (o *outcome) planned() bool { return o.weeks == 0 }

// result is one trial. Openings count from its start.
type result struct {
	trial

	rises [][]rise
}

// task is one series to draw and evaluate.
type task struct {
	family, index int
	planned       bool
}

// plannedEach is the number of series per series with a planned job.
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

// measure runs all series through all detectors on all cores. The result does not depend on the number of cores.
func measure(sp *spec, detectors []detectorKind, progress io.Writer) ([]outcome, error) {
	all := tasks(sp)
	out, drawn, errs := make([]outcome, len(all)), make([]*watched, len(all)), make([]error, len(all))
	next := make(chan int)
	var lock sync.Mutex
	var wait sync.WaitGroup
	done := 0
	for range runtime.GOMAXPROCS(0) {
		wait.Go(func() {
			for i := range next {
				out[i], drawn[i], errs[i] = run1(sp, all[i], detectors)
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
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	for k := range detectors {
		if !detectors[k].fleet() {
			continue
		}
		if err := watchAll(serve(drawn, all), progress); err != nil {
			return nil, err
		}
		for i, w := range drawn {
			out[i].record(k, w.scores, w.found)
		}
	}
	for i := range out {
		for j := range out[i].trials {
			out[i].trials[j].value, out[i].trials[j].present = nil, nil
		}
	}
	return out, nil
}

// serve groups the series into services with one series of each family.
func serve(drawn []*watched, all []task) []*watched {
	by := map[int][]*watched{}
	for i, w := range drawn {
		w.service, w.scores, w.found = fmt.Sprintf("service-%d", all[i].index), nil, nil
		by[all[i].index] = append(by[all[i].index], w)
	}
	for i, w := range drawn {
		w.mates = slices.DeleteFunc(slices.Clone(by[all[i].index]), func(m *watched) bool { return m == w })
	}
	return drawn
}

// run1 draws one series and its trials. It runs each detector that watches a series alone over them.
func run1(sp *spec, t task, detectors []detectorKind) (outcome, *watched, error) {
	s, windows := newSeries(sp, &sp.Families[t.family], t.index, t.planned)
	n := len(detectors)
	o := outcome{family: t.family, cadence: time.Duration(s.cadence), warm: s.warm, windows: windows, quiet: make([][]rise, n), young: make([][]rise, n)}
	w := &watched{metric: s.family.Name, at: s.at, present: s.present, value: s.value}
	if t.planned {
		o.trials = plannedRuns(sp, windows)
	} else {
		o.weeks = s.weeks()
		w.trials = s.trials(sp, t.index)
		for _, tr := range w.trials {
			o.trials = append(o.trials, result{trial: tr})
		}
	}
	for i := range o.trials {
		o.trials[i].rises = make([][]rise, n)
	}
	for i := range detectors {
		k := &detectors[i]
		if k.fleet() {
			continue
		}
		scores, found, err := s.watch(k, uint64(t.family*1000+t.index), w.trials)
		if err != nil {
			return o, nil, err
		}
		o.record(i, scores, found)
	}
	return o, w, nil
}

// record stores the results of a detector on the series without a fault and on each trial.
func (o *outcome) record(detector int, scores []float32, found [][]rise) {
	if o.planned() {
		for i, w := range o.windows {
			from, to := w[0], min(w[1]+grace, len(scores))
			o.trials[i].rises[detector] = rises(scores[from-cooldown:to], cooldown)
		}
		return
	}
	o.quiet[detector] = rises(scores, o.warm)
	o.young[detector] = rises(scores[:int(day/int64(o.cadence))], 0)
	for i, r := range found {
		o.trials[i].rises[detector] = r
	}
}

// plannedRuns returns a trial for each run of a planned job.
func plannedRuns(sp *spec, windows [][2]int) (all []result) {
	for range windows {
		all = append(all, result{trial: trial{fault: -1, decoy: slices.Index(sp.Decoys, plannedJob)}})
	}
	return all
}

// watch runs one detector over the series without a fault. For each trial it runs a clone of the detector, taken at
// the start of the trial, over the changed points.
func (s *series) watch(k *detectorKind, seed uint64, trials []trial) (scores []float32, found [][]rise, err error) {
	d := k.on(s, seed)
	scores, found = make([]float32, 0, s.slots()), make([][]rise, 0, len(trials))
	for i := range s.slots() {
		for len(found) < len(trials) && trials[len(found)].start == i {
			t, c := trials[len(found)], d.Clone()
			window := slices.Clone(scores[i-cooldown : i])
			for j := range t.value {
				if window, err = s.ask(c, i+j, t.value[j], t.present[j], window); err != nil {
					return nil, nil, fmt.Errorf("%s: %w", k.name, err)
				}
			}
			found = append(found, rises(window, cooldown))
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
