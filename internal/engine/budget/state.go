// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package budget

import (
	"maps"
	"slices"

	"github.com/auspex-otel/auspex/internal/detect/calibration"
	"github.com/auspex-otel/auspex/internal/state"
)

// State writes or reads the number of the last rare point and, in a complete state, whether the pool is that of all
// series. Join must follow a read.
func (m *Member) State(c *state.Codec) {
	c.Uint64(&m.RareAt)
	if c.Complete() {
		c.Bool(&m.wide)
	}
}

// Persist writes or reads the budget: its own numbers, the pool of all series, and every pool by its identity. It
// must be read after all series have joined. Pools without members are skipped.
func (b *Budget) Persist(c *state.Codec) {
	for i := range b.spendings {
		s := &b.spendings[i]
		c.Float64(&s.rare)
		c.Float64(&s.runs)
		c.Check(s.rare >= 0 && s.runs >= 0)
	}
	if c.Complete() {
		c.Time(&b.at)
		c.Uint64(&b.spent)
		c.Int64(&b.judged)
		c.Check(b.spent > 0)
	}
	b.all.persist(c)
	n := len(b.pools)
	c.Length(&n, 8)
	if !c.Reading() {
		for _, id := range slices.Sorted(maps.Keys(b.pools)) {
			c.Uint64(&id)
			b.pools[id].persist(c)
		}
		return
	}
	for ; n > 0 && c.Ok(); n-- {
		var id uint64
		c.Uint64(&id)
		p := b.pools[id]
		if p == nil {
			p = &pool{}
		}
		p.persist(c)
	}
}

// Resume ends the restoration from a state that is not complete. Restored tables apply after event time t, in
// nanoseconds, the latest one of all services.
func (b *Budget) Resume(t int64) {
	b.judged = max(b.judged, t)
	for p := range b.everyPool {
		for _, a := range p.tallies() {
			if !a.table.fixed && a.table.judged == 0 {
				a.table = first(b.judged, a.table.latest())
			}
		}
	}
}

func (p *pool) persist(c *state.Codec) {
	c.Int64(&p.faded)
	for _, a := range p.tallies() {
		c.Int(&a.unfixed)
		a.count.State(c)
		a.bursts.State(c)
		a.persistTable(c)
	}
}

// persistTable writes or reads all versions of the table in a complete state, and else the latest one.
func (a *tally) persistTable(c *state.Codec) {
	read := a.table
	one := func(table **calibration.Table) {
		if c.Reading() {
			*table = &calibration.Table{}
		}
		(*table).State(c)
	}
	switch {
	case c.Complete():
		read.persist(c, one)
	case c.Reading():
		read = first[*calibration.Table](0, nil)
		one(&read.list[0].value)
	default:
		a.table.latest().State(c)
	}
	if c.Reading() && !a.table.fixed {
		a.table = read
	}
}
