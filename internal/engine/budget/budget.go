// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package budget

import (
	"time"

	"github.com/auspex-otel/auspex/internal/detect/calibration"
	"github.com/auspex-otel/auspex/internal/detect/opening"
	"github.com/auspex-otel/auspex/internal/exact"
)

const (
	// alphaRise bounds the factor by which α rises per hour: it recovers within an hour of a burst. It falls
	// immediately.
	alphaRise = 1e6
	// rare and near select the points from which θ is learned: p < 1e-3, and calibrated at most near nats from α,
	// because rarer points occur in different bursts.
	rare, near = 6.9, 3
	// thetaWeight is the weight of the prior, θ = 1, in rare points.
	thetaWeight = 20
	// poolMemory is the half-life of the counts of pools.
	poolMemory = 30 * 24 * time.Hour
	// maxFade bounds the decay after a gap, or with a clock far ahead.
	maxFade = 24 * time.Hour
	// maxPools bounds the number of pools. Series beyond it use the pool of all series.
	maxPools = 10_000
	// fleet is the least number of series in a pool that corrects the surprises of their models.
	fleet = 10
	// mature is the number of points from which a model shares the far tail of all older models. The tail of a young
	// model is exceeded about twenty times too often.
	mature = 2000
)

// Budget converts the accepted number of false alarms into α of each signal, and
// calibrates the surprises of a model by those of the models of its fleet.
type Budget struct {
	spendings   [Signals]spending
	falseAlarms FalseAlarms
	at          time.Time // of the latest spending, by the clock of ticks
	spent       uint64    // its number
	// decisions and series are those of all services, services the number of those that have any.
	decisions        Decisions
	series, services [Signals]int64
	all              pool
	pools            map[uint64]*pool
	judged           int64     // latest event time of all judged points
	schedule         *Schedule // that replaces what this budget learns, or nil
	recording        bool      // Published was called
	records          []Record  // published versions that were not taken yet
}

// spending holds the counts from which θ of one signal is estimated.
type spending struct {
	// rare counts points with p < 1e-3, runs those of them that have no other in
	// the cooldown before them: θ, the openings per exceedance, is their ratio.
	rare, runs float64
}

// pool holds the surprises of one statistic of one metric, over all its series. Young
// and mature models are counted separately.
type pool struct {
	id            uint64 // 0 for the pool of all series
	young, mature tally
	faded         int64 // event time of the last decay of the counts, nanoseconds
	series        int   // number of series that share it
}

// tally counts the surprises of the models of one age, and holds the table that corrects later ones.
type tally struct {
	count   calibration.Count
	bursts  calibration.Bursts
	table   versions[*calibration.Table]
	unfixed int // points since the table was made
}

// newPool returns a pool whose models have the given tables from an event time on, or those of a schedule.
func (b *Budget) newPool(id uint64, from int64, young, mature *calibration.Table) *pool {
	p := &pool{id: id}
	for i, a := range p.tallies() {
		if a.table = b.schedule.table(id, i == 1); !a.table.fixed {
			table := [...]*calibration.Table{young, mature}[i]
			a.table = first(from, table)
			b.record(p.record(a, from, table))
		}
	}
	return p
}

// tallies returns the tallies of young and of mature models.
func (p *pool) tallies() [2]*tally { return [...]*tally{&p.young, &p.mature} }

// of returns the tally for a model with n points.
func (p *pool) of(n uint64) *tally {
	if n < mature {
		return &p.young
	}
	return &p.mature
}

// New returns a budget without counts. Points are judged by a schedule, or by what the budget learns if that is nil.
func New(f FalseAlarms, schedule *Schedule) *Budget {
	b := &Budget{falseAlarms: f, spent: 1, pools: map[uint64]*pool{}, schedule: schedule}
	b.all = *b.newPool(0, 0, calibration.Identity, calibration.Identity)
	return b
}

// Theta returns how many anomalies of a signal open per exceedance, at most 1.
func (b *Budget) Theta(s Signal) float64 { return b.spendings[s].theta() }

// Member is the share of one series in the budget: the pool of similar series, and the number of its last rare point,
// or 0.
type Member struct {
	RareAt uint64

	pool *pool
	id   uint64 // of the pool, 0 for the pool of all series
	wide bool   // the pool is that of all series
}

// Join adds a new or restored series to the pool with the given identity, which must not be 0.
func (b *Budget) Join(m *Member, id uint64) {
	b.all.series++
	p := b.pools[id]
	if m.wide = m.wide || p == nil && len(b.pools) >= maxPools; m.wide {
		m.pool = &b.all
		return
	}
	if p == nil {
		p = b.newPool(id, b.judged, b.all.young.table.latest(), b.all.mature.table.latest())
		b.pools[id] = p
	}
	p.series++
	m.pool, m.id = p, id
}

// Leave removes a series from its pool. A pool without members is deleted.
func (b *Budget) Leave(m *Member) {
	b.all.series--
	if m.wide {
		return
	}
	if m.pool.series--; m.pool.series == 0 {
		delete(b.pools, m.id)
	}
}

// Calibrate corrects the surprise, in nats, that the model of a series with n points returned for event time t.
func (m *Member) Calibrate(n uint64, t int64, surprise float64) float64 {
	return m.pool.of(n).table.at(t).Apply(surprise)
}

// Pass notes that a timely point at event time t was judged: a series with n points of a signal in a service.
func (b *Budget) Pass(a *Account, s Signal, m *Member, n uint64, t int64) {
	b.judged = max(b.judged, t)
	a.published[s].pass(t)
	m.pool.of(n).table.pass(t)
}

func (s *spending) theta() float64 { return (s.runs + thetaWeight) / (s.rare + thetaWeight) }

// Spend updates every α from the present decisions per day and θ.
func (b *Budget) Spend(now time.Time) {
	b.at = now
	b.spent++
}

// Learn counts the surprise, in nats, of a fault-free point at event time t, in nanoseconds. The model of its series
// has n points, and its service has the given threshold.
func (b *Budget) Learn(signal Signal, m *Member, n uint64, t int64, surprise, threshold float64) {
	if spent := &b.spendings[signal]; surprise > rare && m.Calibrate(n, t, surprise) > max(rare, threshold-near) {
		spent.rare++
		if m.RareAt == 0 || n-m.RareAt > opening.Cooldown {
			spent.runs++
		}
		m.RareAt = n
	}
	if f := b.all.fade(t); f < 1 {
		for i := range b.spendings {
			b.spendings[i].rare = float64(b.spendings[i].rare * f)
			b.spendings[i].runs = float64(b.spendings[i].runs * f)
		}
	}
	// The tables of young and mature models start from the table of all young models.
	b.learn(&b.all, t, n, surprise, calibration.Identity, b.all.young.table.latest())
	if m.pool != &b.all {
		m.pool.fade(t)
		b.learn(m.pool, t, n, surprise, b.all.young.table.latest(), b.all.mature.table.latest())
	}
}

// fade reduces the weight of counts before event time t, once per hour, and returns the factor.
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
	f := exact.Exp2(-float64(min(d, int64(maxFade))) / float64(poolMemory))
	for _, a := range p.tallies() {
		a.count.Forget(f)
		a.bursts.Forget(f)
	}
	return f
}

// learn counts one point of a pool, at event time t, of a model of n points. It recomputes the table, from that of a
// wider pool, whenever a sixteenth of the points is new.
func (b *Budget) learn(p *pool, t int64, n uint64, surprise float64, young, older *calibration.Table) {
	if n >= mature {
		if table := p.mature.learn(t, surprise, older, p.series >= fleet); table != nil {
			b.setTable(p, &p.mature, table)
		}
		return
	}
	if table := p.young.learn(t, surprise, young, p.series >= fleet); table != nil {
		b.setTable(p, &p.young, table)
		if p.mature.count.Total() == 0 {
			b.setTable(p, &p.mature, table)
		}
	}
}

// setTable publishes a table.
func (b *Budget) setTable(p *pool, a *tally, table *calibration.Table) {
	if !a.table.fixed && *table != *a.table.latest() {
		b.record(p.record(a, a.table.set(table), table))
	}
}

// learn counts one point. It returns a new table, or nil if it is not time for one.
func (a *tally) learn(t int64, surprise float64, wider *calibration.Table, fleet bool) *calibration.Table {
	a.count.Add(surprise)
	a.bursts.Add(t, surprise)
	if a.unfixed++; a.unfixed < 256 || float64(a.unfixed) < a.count.Total()/16 {
		return nil
	}
	a.unfixed = 0
	if fleet {
		return a.count.Table(wider, a.bursts.Size())
	}
	return wider
}
