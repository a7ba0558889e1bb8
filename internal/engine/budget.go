// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/auspex-otel/auspex/internal/detect/calibration"
	"github.com/auspex-otel/auspex/internal/detect/opening"
	"github.com/auspex-otel/auspex/internal/series"
)

const (
	// alphaRise bounds how fast α rises, per hour; it falls at once.
	alphaRise = 1.25
	// rare and near are where θ is learned: from points with p < 1e-3, and
	// calibrated no more than near nats from α, for what is rarer comes in other bursts.
	rare, near = -6.9, 3
	// thetaWeight is how many rare points the prior, θ = 1, is worth.
	thetaWeight = 20
	// poolMemory is the half-life of what pools have counted.
	poolMemory = 30 * 24 * time.Hour
	// maxFade bounds what a gap, or a clock far ahead, makes them forget.
	maxFade = 24 * time.Hour
	// maxPools bounds the pools: what finds no room counts among all.
	maxPools = 10_000
	// fleet is how many series it takes to correct what the models of each say.
	fleet = 10
	// grown is how many points it takes until a model's far tail is that of all
	// older ones: that of a young one says rare some twenty times too often.
	grown = 2000
	// wide is how many series of a service must be anomalous at once, and one in
	// wideShare of its streams, for their points to teach nothing about normal
	// ones. Fewer at once may be a shock that series have in common by nature.
	wide, wideShare = 3, 8
)

// budget is what is spent, and what the fleet has shown about it.
type budget struct {
	spendings [signals]spending
	at        time.Time // when they were looked at last
	all       pool
	pools     map[series.ID]*pool
}

// spending is what one signal spends.
type spending struct {
	alpha float64
	// rare counts points with p < 1e-3, runs those of them that have no other in
	// the hold-off before them: θ, the openings per exceedance, is their ratio.
	rare, runs float64
}

// pool is what series alike have in common: one metric's one statistic. What
// young models say is counted apart from what grown ones do.
type pool struct {
	young, grown tally
	faded        int64 // event time at which the counts were last made to fade, nanoseconds
	series       int   // how many share it
}

// tally is what models of one age have said, and what that makes of the next.
type tally struct {
	count   calibration.Count
	bursts  calibration.Bursts
	table   *calibration.Table
	unfixed int // points since the table was made
}

func newPool(young, grown *calibration.Table) *pool {
	return &pool{young: tally{table: young}, grown: tally{table: grown}}
}

// of returns what holds for a model of n points.
func (p *pool) of(n uint64) *tally {
	if n < grown {
		return &p.young
	}
	return &p.grown
}

func newBudget(maxAlpha float64) budget {
	b := budget{all: *newPool(calibration.Identity, calibration.Identity), pools: map[series.ID]*pool{}}
	for i := range b.spendings {
		b.spendings[i].alpha = maxAlpha
	}
	return b
}

// share finds or makes the pool of a metric's statistic.
func (b *budget) share(metric string, stat statistic) (series.ID, *pool) {
	b.all.series++
	id := series.Text(metric).Join(series.Number(uint64(stat)))
	p := b.pools[id]
	if p == nil {
		if len(b.pools) >= maxPools {
			return 0, &b.all
		}
		p = newPool(b.all.young.table, b.all.grown.table)
		b.pools[id] = p
	}
	p.series++
	return id, p
}

// release forgets a pool that no series shares any more.
func (b *budget) release(id series.ID, p *pool) {
	b.all.series--
	if p == &b.all {
		return
	}
	if p.series--; p.series == 0 {
		delete(b.pools, id)
	}
}

// theta returns how many anomalies open per exceedance, at most 1.
func (s *spending) theta() float64 { return (s.runs + thetaWeight) / (s.rare + thetaWeight) }

// spend moves every α to what the decisions a day and θ allow: down at once, up slowly.
func (b *budget) spend(f FalseAlarms, decisionsPerDay *perSignal, now time.Time) {
	rise := math.Pow(alphaRise, max(0, now.Sub(b.at).Hours()))
	for i := range b.spendings {
		s := &b.spendings[i]
		want := f.alpha(decisionsPerDay.share(Signal(i)), float64(decisionsPerDay[i])*s.theta())
		s.alpha = min(want, s.alpha*rise)
	}
	b.at = now
}

// learn counts what a series' model said of a fault-free point at event time t.
func (b *budget) learn(signal Signal, s *tracked, t int64, logP float64) {
	if spent := &b.spendings[signal]; logP < rare && s.pool.of(s.n).table.Apply(logP) < min(rare, math.Log(spent.alpha)+near) {
		spent.rare++
		if s.rareAt == 0 || s.n-s.rareAt > opening.HoldOff {
			spent.runs++
		}
		s.rareAt = s.n
	}
	if f := b.all.fade(t); f < 1 {
		for i := range b.spendings {
			b.spendings[i].rare *= f
			b.spendings[i].runs *= f
		}
	}
	// The tails of all young models are where those of all grown ones begin.
	b.all.learn(t, s.n, logP, calibration.Identity, b.all.young.table)
	if s.pool != &b.all {
		s.pool.fade(t)
		s.pool.learn(t, s.n, logP, b.all.young.table, b.all.grown.table)
	}
}

// fade lets what was counted before event time t weigh less, once an hour, and returns by how much.
func (p *pool) fade(t int64) float64 {
	d := t - p.faded
	if d < int64(time.Hour) {
		return 1
	}
	first := p.faded == 0
	p.faded = t
	if first {
		return 1
	}
	f := math.Exp2(-float64(min(d, int64(maxFade))) / float64(poolMemory))
	for _, a := range [...]*tally{&p.young, &p.grown} {
		a.count.Forget(f)
		a.bursts.Forget(f)
	}
	return f
}

// learn counts one point, at event time t, of a model of n points; the table is made anew, from
// that of a wider pool, whenever a sixteenth of the points is new.
func (p *pool) learn(t int64, n uint64, logP float64, young, older *calibration.Table) {
	if n >= grown {
		p.grown.learn(t, logP, older, p.series >= fleet)
		return
	}
	if p.young.learn(t, logP, young, p.series >= fleet) && p.grown.count.Total() == 0 {
		p.grown.table = p.young.table
	}
}

func (a *tally) learn(t int64, logP float64, wider *calibration.Table, fleet bool) (made bool) {
	a.count.Add(logP)
	a.bursts.Add(t, logP)
	if a.unfixed++; a.unfixed < 256 || float64(a.unfixed) < a.count.Total()/16 {
		return false
	}
	a.table, a.unfixed = wider, 0
	if fleet {
		a.table = a.count.Table(wider, a.bursts.Size())
	}
	return true
}

// append writes the budget: its own numbers, the pool of all, and every pool by its identity.
func (b *budget) append(buf []byte) []byte {
	w := writer{b: buf}
	w.int64(b.at.UnixNano())
	for _, s := range b.spendings {
		w.float64(s.alpha)
		w.float64(s.rare)
		w.float64(s.runs)
	}
	b.all.append(&w)
	w.uint64(uint64(len(b.pools)))
	for _, id := range slices.Sorted(maps.Keys(b.pools)) {
		w.uint64(uint64(id))
		b.pools[id].append(&w)
	}
	return w.b
}

// restore reads what append wrote into a budget whose pools exist, because their series do.
func (b *budget) restore(record []byte) error {
	r := reader{b: record}
	b.at = time.Unix(0, r.int64())
	for i := range b.spendings {
		s := &b.spendings[i]
		s.alpha, s.rare, s.runs = r.float64(), r.float64(), r.float64()
		if !(s.alpha > 0 && s.alpha < 1 && s.rare >= 0 && s.runs >= 0) {
			r.fail(errNotWhole)
		}
	}
	b.all.read(&r)
	for range r.length(8) {
		p := b.pools[series.ID(r.uint64())]
		if p == nil {
			p = &pool{} // its series found no room
		}
		p.read(&r)
	}
	if err := r.end(); err != nil {
		return fmt.Errorf("budget: %w", err)
	}
	return nil
}

func (p *pool) append(w *writer) {
	w.int64(p.faded)
	for _, a := range [...]*tally{&p.young, &p.grown} {
		w.uint64(uint64(a.unfixed))
		w.state(a.count.State)
		w.state(a.bursts.State)
		w.state(a.table.State)
	}
}

func (p *pool) read(r *reader) {
	p.faded = r.int64()
	for _, a := range [...]*tally{&p.young, &p.grown} {
		a.unfixed, a.table = int(r.uint64()), &calibration.Table{}
		r.state(a.count.State)
		r.state(a.bursts.State)
		r.state(a.table.State)
	}
}
