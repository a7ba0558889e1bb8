// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/auspex-otel/auspex/eval/score"
)

// Parameters of the same signals at several cadences.
const (
	finest        = 10 * time.Second
	cadenceDays   = 14
	cadenceSeries = 6 // signals of each family
	shortestFault = 30 * time.Minute
	longestFault  = 6 * time.Hour

	leastAgreement = 0.8 // found at all cadences / found at any
)

// samplings lists the cadences in slots of the finest.
var samplings = [...]struct {
	name string
	step int
}{{"10 s", 1}, {"1 min", 6}, {"5 min", 30}}

// lastingKinds lists faults of 30 minutes or more, of k standard deviations of the noise.
var lastingKinds = []faultKind{
	{"level up", true, func(s *series, r *rand.Rand, at int, k, _ float64) *change { return shift(s, at, lasting(r), k) }},
	{"level down", true, func(s *series, r *rand.Rand, at int, k, _ float64) *change { return shift(s, at, lasting(r), -k) }},
	{"slow leak", true, func(s *series, r *rand.Rand, at int, k, _ float64) *change {
		n := lasting(r)
		return ramp(s, at, n, 2*k/float64(n))
	}},
	{"variance up", true, func(s *series, r *rand.Rand, at int, k, _ float64) *change {
		c := newChange(at, lasting(r))
		c.gain = slices.Repeat([]float64{k * math.Sqrt(1-s.phi*s.phi)}, c.end-c.start)
		return c
	}},
	{"season phase", true, func(s *series, _ *rand.Rand, at int, k, _ float64) *change { return lateSeason(s, at, k) }},
	{"season shape", true, func(s *series, _ *rand.Rand, at int, k, _ float64) *change { return otherSeason(s, at, k) }},
	{"missing peak", true, func(s *series, _ *rand.Rand, at int, k, _ float64) *change {
		if c := cutPeak(s, at, k); c != nil && c.end-c.start >= int(shortestFault/finest) {
			return c
		}
		return nil
	}},
}

// lasting draws the number of slots of a fault.
func lasting(r *rand.Rand) int {
	return int(span{float64(shortestFault / finest), float64(longestFault / finest)}.draw(r))
}

// cadenceSpec returns the spec's seasonal kinds at the finest cadence. The noise has a correlation time of 1.5 to 3
// minutes, so that all samplings observe about the same share of a fault.
func cadenceSpec(sp *spec) (*spec, error) {
	c := *sp
	c.Days, c.Series, c.Events, c.mostSlots = cadenceDays, cadenceSeries, 1, cadenceDays*int(day/int64(finest))
	c.Families = nil
	for _, f := range sp.Families {
		if k := kinds[f.Kind]; k.seasons && k.trends || f.Kind == "cache_ratio" {
			f.options.Cadences, f.options.Phi = []period{period(finest)}, []float64{0.9, 0.95}
			for i := range f.options.Amplitude { // relative to the standard deviation of the noise, not of its innovations
				f.options.Amplitude[i] *= 2
			}
			c.Families = append(c.Families, f)
		}
	}
	c.Series = min(c.Series, sp.Series)
	if len(c.Families) == 0 {
		return nil, errors.New("-cadences needs a family of the kinds rate, latency, gauge, or cache_ratio")
	}
	return &c, nil
}

// sampled is one signal at every cadence. The trials have the same order at each cadence.
type sampled struct {
	faults []int // by trial: index into lastingKinds
	at     [len(samplings)]*watched
	weeks  float64
}

// drawSampled draws one signal and its trials, and samples both.
func drawSampled(sp *spec, f *family, index int) *sampled {
	s, _ := newSeries(sp, f, index, false)
	out := &sampled{weeks: s.weeks()}
	type tried struct {
		fault int
		*change
	}
	var all []tried
	for i, k := range lastingKinds {
		r := rngOf(sp.Seed, f.Name+"/cadences/"+k.name, index)
		at, draws := s.drawStart(r), r.Uint64()
		for _, size := range sp.Sizes {
			again := rand.New(rand.NewPCG(draws, 0)) // so that every size has the same length
			if c := k.make(s, again, at, size/math.Sqrt(1-s.phi*s.phi), 1); c != nil {
				all = append(all, tried{i, c})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b tried) int { return cmp.Compare(a.start, b.start) })
	for c, sampling := range samplings {
		w := &watched{service: fmt.Sprintf("%s, every %s, %d", f.Name, sampling.name, index), metric: f.Name}
		for i := 0; i < s.slots(); i += sampling.step {
			w.at, w.present, w.value = append(w.at, s.at[i]), append(w.present, s.present[i]), append(w.value, s.value[i])
		}
		out.at[c] = w
	}
	for _, t := range all {
		out.faults = append(out.faults, t.fault)
		value, present := t.apply(s)
		for c, sampling := range samplings {
			out.at[c].trials = append(out.at[c].trials, sampleTrial(t.start, value, present, sampling.step))
		}
	}
	return out
}

// sampleTrial samples a change that begins at a slot of the finest cadence.
func sampleTrial(start int, value []float64, present []bool, step int) trial {
	t := trial{start: (start + step - 1) / step}
	for i := t.start*step - start; i < len(value); i += step {
		t.value, t.present = append(t.value, value[i]), append(t.present, present[i])
	}
	return t
}

// agreement counts the faults that are found at every cadence and at any.
type agreement struct {
	at       [len(samplings)]tally
	all, any int
}

// add adds one fault by its onsets.
func (a *agreement) add(at [len(samplings)]onset) {
	n := 0
	for c, o := range at {
		a.at[c].add(o)
		if o.slot >= 0 {
			n++
		}
	}
	if n > 0 {
		a.any++
	}
	if n == len(at) {
		a.all++
	}
}

// share returns the ratio, or NaN if no fault is found.
func (a *agreement) share() float64 { return float64(a.all) / float64(a.any) }

// reportCadences prints the recall of the product on the same signals at several cadences. It reports whether the
// targets are met. least is the target of recall.
func reportCadences(w io.Writer, sp *spec, least float64, progress io.Writer) (bool, error) {
	c, err := cadenceSpec(sp)
	if err != nil {
		return false, err
	}
	var signals []*sampled
	var all []*watched
	for i := range c.Families {
		for index := range c.Series {
			s := drawSampled(c, &c.Families[i], index)
			signals, all = append(signals, s), append(all, s.at[:]...)
		}
	}
	if err := watchAll(all, progress); err != nil {
		return false, err
	}
	var quiet [len(samplings)][]rise
	weeks := 0.0
	for _, s := range signals {
		weeks += s.weeks
		for i, watched := range s.at {
			quiet[i] = append(quiet[i], rises(watched.scores, len(watched.scores)/2)...)
		}
	}
	threshold := lowestThreshold(slices.Concat(quiet[:]...), allowedRate*weeks*float64(len(samplings)))
	by := make([]agreement, len(lastingKinds)+1) // the last one has the totals
	for _, s := range signals {
		for k, fault := range s.faults {
			at := s.onsets(k, threshold)
			by[fault].add(at)
			by[len(by)-1].add(at)
		}
	}
	fmt.Fprintf(w, "\nThe same %d signals sampled every 10 s, 1 min, and 5 min; faults of 30 minutes to 6 hours, of %v standard deviations.\nRecall, and in parentheses the median delay in minutes. All/any: found at all cadences / found at any.\n\n", len(signals), c.Sizes)
	printAgreement(w, by, quiet, threshold, weeks)
	return judgeAgreement(w, &by[len(by)-1], least), nil
}

// onsets returns the time at which the k-th fault is found at each cadence.
func (s *sampled) onsets(k int, threshold float32) (at [len(samplings)]onset) {
	for c, sampling := range samplings {
		slot := firstOpening(s.at[c].found[k], threshold)
		at[c] = onset{slot, float64(slot) * (finest * time.Duration(sampling.step)).Minutes()}
	}
	return at
}

func printAgreement(w io.Writer, by []agreement, quiet [len(samplings)][]rise, threshold float32, weeks float64) {
	fmt.Fprintf(w, "%-18s", "fault")
	for _, s := range samplings {
		fmt.Fprintf(w, " %12s", s.name)
	}
	fmt.Fprintf(w, " %12s\n", "all/any")
	for i := range by {
		name := "all"
		if i < len(lastingKinds) {
			name = lastingKinds[i].name
		}
		fmt.Fprintf(w, "%-18s", name)
		for _, t := range by[i].at {
			fmt.Fprintf(w, " %12s", recall{t.share(), score.Median(t.minutes)})
		}
		fmt.Fprintf(w, " %12s\n", fmt.Sprintf("%d/%d", by[i].all, by[i].any))
	}
	fmt.Fprintf(w, "%-18s", "openings a week")
	for _, of := range quiet {
		fmt.Fprintf(w, " %12.3f", float64(openings(of, threshold))/weeks)
	}
	fmt.Fprintln(w)
}

func judgeAgreement(w io.Writer, all *agreement, least float64) bool {
	var recalls []float64
	for _, t := range all.at {
		recalls = append(recalls, t.share())
	}
	found := mean(recalls)
	agree, enough := all.share() >= leastAgreement, found >= least
	fmt.Fprintf(w, "\nfound at 10 s, 1 min, and 5 min / found at any: %d/%d = %.3f, target %.2f: %s\n", all.all, all.any, all.share(), leastAgreement, verdict(agree))
	fmt.Fprintf(w, "recall over the cadences %.3f, target at least the bench's %.3f: %s\n", found, least, verdict(enough))
	return agree && enough
}
