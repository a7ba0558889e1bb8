// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"math"
	"slices"
)

// seasonalNaive predicts the value at the same time yesterday, or a week ago if that is nearer to the value. It
// scales the error robustly.
type seasonalNaive struct {
	unmoved

	cadence int64
	slots   []float64 // of a week, NaN without a point; lastSlot was written last
	last    int64
	errors  residuals
}

func newSeasonalNaive(cadence int64, _ uint64) Detector {
	return &seasonalNaive{cadence: cadence, slots: slices.Repeat([]float64{math.NaN()}, int(week/cadence)), last: -1, errors: newResiduals()}
}

func (d *seasonalNaive) Observe(t int64, v float64) (score float64) {
	slot, n := (t+d.cadence/2)/d.cadence, int64(len(d.slots))
	e := math.Inf(1)
	for _, back := range []int64{day / d.cadence, n} {
		if was := d.slots[(slot-back)%n]; math.Abs(v-was) < math.Abs(e) {
			e = v - was
		}
	}
	if !math.IsInf(e, 1) {
		score = d.errors.judge(e, v)
	}
	if d.last >= 0 {
		for s := max(d.last+1, slot-n); s < slot; s++ {
			d.slots[s%n] = math.NaN()
		}
	}
	d.slots[slot%n], d.last = v, slot
	return score
}

func (d *seasonalNaive) Clone() Detector {
	c := *d
	c.slots, c.errors = slices.Clone(d.slots), d.errors.clone()
	return &c
}

// Gains of Holt-Winters per point. That of the season applies to each visit of a bin.
const (
	levelGain  = 0.3
	trendGain  = 0.001
	seasonGain = 0.2
	seasonBins = 288 // maximum
)

// holtWinters is additive exponential smoothing of level, trend, and daily season in bins of at least five minutes.
// The first day fills the bins. The forecast error is scaled robustly.
type holtWinters struct {
	unmoved

	perBin float64 // points of a bin in a day
	width  int64   // of a bin
	level  float64
	trend  float64
	season []float64
	seen   []float64 // points of the first day, by bin
	first  int64     // time of the first point
	errors residuals
	ready  bool
}

func newHoltWinters(cadence int64, _ uint64) Detector {
	bins := min(seasonBins, day/cadence)
	return &holtWinters{
		perBin: float64(day/cadence) / float64(bins), width: day / bins,
		season: make([]float64, bins), seen: make([]float64, bins), errors: newResiduals(), first: -1,
	}
}

func (d *holtWinters) Observe(t int64, v float64) float64 {
	bin := t % day / d.width
	if d.first < 0 {
		d.first = t
	}
	if !d.ready {
		if t < d.first+day {
			d.seen[bin]++
			d.season[bin] += (v - d.season[bin]) / d.seen[bin]
			return 0
		}
		d.begin()
	}
	expected := d.level + d.trend
	e := v - expected - d.season[bin]
	d.level = expected + levelGain*e
	d.trend += trendGain * e
	d.season[bin] += seasonGain / d.perBin * (1 - levelGain) * e
	return d.errors.judge(e, v)
}

// begin sets level and season to the means of the first day. An empty bin gets the mean of the day.
func (d *holtWinters) begin() {
	d.ready = true
	sum, n := 0.0, 0.0
	for i, c := range d.seen {
		if c > 0 {
			sum += d.season[i]
			n++
		}
	}
	d.level = sum / max(1, n)
	for i, c := range d.seen {
		if c > 0 {
			d.season[i] -= d.level
		}
	}
}

func (d *holtWinters) Clone() Detector {
	c := *d
	c.season, c.seen, c.errors = slices.Clone(d.season), slices.Clone(d.seen), d.errors.clone()
	return &c
}
