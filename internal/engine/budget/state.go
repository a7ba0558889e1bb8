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

func (p *pool) persist(c *state.Codec) {
	c.Int64(&p.faded)
	for _, a := range [...]*tally{&p.young, &p.mature} {
		c.Int(&a.unfixed)
		a.count.State(c)
		a.bursts.State(c)
		if c.Reading() {
			a.table = &calibration.Table{}
		}
		a.table.State(c)
	}
}
