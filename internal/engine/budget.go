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
	// wide is how many series of a service must be anomalous at once for their
	// points to teach nothing about normal ones.
	wide = 3
)

// budget is what is spent: α, and what the fleet has shown about it.
type budget struct {
	alpha float64
	at    time.Time // when alpha was looked at last
	// rare counts points with p < 1e-3, runs those of them that have no other in
	// the hold-off before them: θ, the openings per exceedance, is their ratio.
	rare, runs float64
	all        pool
	pools      map[series.ID]*pool
}

// pool is what series alike have in common: one metric's one statistic.
type pool struct {
	count   calibration.Count
	table   *calibration.Table
	unfixed int   // points since the table was made
	faded   int64 // event time at which the count was last made to fade, nanoseconds
	series  int   // how many share it
}

func newBudget(maxAlpha float64) budget {
	return budget{alpha: maxAlpha, all: pool{table: calibration.Identity}, pools: map[series.ID]*pool{}}
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
		p = &pool{table: b.all.table}
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
func (b *budget) theta() float64 { return (b.runs + thetaWeight) / (b.rare + thetaWeight) }

// spend moves α to what the decisions a day and θ allow: down at once, up slowly.
func (b *budget) spend(f FalseAlarms, decisionsPerDay float64, now time.Time) {
	want := f.alpha(decisionsPerDay * b.theta())
	if want > b.alpha {
		hours := max(0, now.Sub(b.at).Hours())
		want = min(want, b.alpha*math.Pow(alphaRise, hours))
	}
	b.alpha, b.at = want, now
}

// learn counts what a series' model said of a fault-free point at event time t.
func (b *budget) learn(s *tracked, t int64, logP float64) {
	if logP < rare && s.pool.table.Apply(logP) < min(rare, math.Log(b.alpha)+near) {
		b.rare++
		if s.rareAt == 0 || s.n-s.rareAt > opening.HoldOff {
			b.runs++
		}
		s.rareAt = s.n
	}
	if f := b.all.fade(t); f < 1 {
		b.rare *= f
		b.runs *= f
	}
	b.all.learn(logP, calibration.Identity)
	if s.pool != &b.all {
		s.pool.fade(t)
		s.pool.learn(logP, b.all.table)
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
	p.count.Forget(f)
	return f
}

// learn counts one point; the table is made anew whenever a sixteenth of the points is new.
func (p *pool) learn(logP float64, wider *calibration.Table) {
	p.count.Add(logP)
	if p.unfixed++; p.unfixed < 256 || float64(p.unfixed) < p.count.Total()/16 {
		return
	}
	p.table, p.unfixed = wider, 0
	if p.series >= fleet {
		p.table = p.count.Table(wider)
	}
}

// append writes the budget: its own numbers, the pool of all, and every pool by its identity.
func (b *budget) append(buf []byte) []byte {
	w := writer{b: buf}
	w.float64(b.alpha)
	w.int64(b.at.UnixNano())
	w.float64(b.rare)
	w.float64(b.runs)
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
	b.alpha, b.at, b.rare, b.runs = r.float64(), time.Unix(0, r.int64()), r.float64(), r.float64()
	if !(b.alpha > 0 && b.alpha < 1 && b.rare >= 0 && b.runs >= 0) {
		r.fail(errNotWhole)
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
	w.uint64(uint64(p.unfixed))
	w.int64(p.faded)
	w.state(p.count.State)
	w.state(p.table.State)
}

func (p *pool) read(r *reader) {
	p.unfixed, p.faded = int(r.uint64()), r.int64()
	p.table = &calibration.Table{}
	r.state(p.count.State)
	r.state(p.table.State)
}
