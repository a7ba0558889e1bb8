// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"math/bits"

	"github.com/auspex-otel/auspex/internal/exact"
	"github.com/auspex-otel/auspex/internal/stats"
)

// counted is a key and its count.
type counted struct {
	key uint64
	n   float64
}

// counts is a bounded list of counts by key. rest counts the keys beyond the bound.
type counts struct {
	list    []counted
	rest, n float64
}

// maxKeys bounds a list of counts.
const maxKeys = 64

func (c *counts) of(key uint64) (float64, bool) {
	for i := range c.list {
		if c.list[i].key == key {
			return c.list[i].n, true
		}
	}
	return 0, false
}

func (c *counts) add(key uint64, n float64) {
	c.n += n
	for i := range c.list {
		if c.list[i].key == key {
			c.list[i].n += n
			return
		}
	}
	if len(c.list) < maxKeys {
		c.list = append(c.list, counted{key, n})
		return
	}
	least := 0
	for i := range c.list {
		if c.list[i].n < c.list[least].n {
			least = i
		}
	}
	if c.list[least].n < n {
		c.rest += c.list[least].n
		c.list[least] = counted{key, n}
		return
	}
	c.rest += n
}

func (c *counts) addAll(o *counts) {
	for _, k := range o.list {
		c.add(k.key, k.n)
	}
	c.rest, c.n = c.rest+o.rest, c.n+o.rest
}

// with returns the count of the keys that have a bit.
func (c *counts) with(bit int) (n float64) {
	for _, k := range c.list {
		if k.key>>bit&1 != 0 {
			n += k.n
		}
	}
	return n
}

func (c *counts) halve() {
	kept := c.list[:0]
	for _, k := range c.list {
		if k.n /= 2; k.n >= 0.25 {
			kept = append(kept, k)
		} else {
			c.rest += k.n
		}
	}
	clear(c.list[len(kept):])
	c.list, c.rest = kept, c.rest/2
	c.n = c.rest
	for _, k := range c.list {
		c.n += k.n
	}
}

// Thresholds of the two kinds of change in the behavior of an operation. Callers usually explain changes of the mix.
const (
	never  = 0.03 // share of all earlier spans below which an item is novel
	always = 0.97 // share above which a missing item is novel
)

// change is one change of a mix.
type change struct {
	surprise float64
	novel    bool
	up       bool
	bit      int    // of the item, -1 for a key as a whole
	key      uint64 // the key, the most common of the new ones
	k0, n0   float64
	k, n     float64
}

// mix holds the usual frequency of each behavior of an operation. A behavior is a key. If
// keys are sets, each bit is an item.
type mix struct {
	base    counts
	windows float64
	excess  float64 // sum over windows of twice the surprise, which is 1 for independent counts
	seen    float64
	other   counts
	others  float64
}

// dispersion returns the factor by which the shares vary more between windows than by chance.
func (m *mix) dispersion() float64 {
	const prior = 1.5
	return max(1, (m.excess+prior*priorWindows)/(m.seen+priorWindows))
}

// changes calls yield for each test of now against the baseline, and returns the number of tests.
func (m *mix) changes(now *counts, sets bool, yield func(change)) (tests int) {
	b := &m.base
	if b.n == 0 || now.n == 0 {
		return 0
	}
	test := func(c change) {
		c.n0, c.n = b.n, now.n
		c.surprise, c.up = stats.Excess(c.k0, c.n0, c.k, c.n)
		if c.bit < 0 && !c.up {
			return
		}
		c.surprise /= m.dispersion()
		c.novel = c.up && c.k0 <= never*c.n0 || !c.up && c.k0 >= always*c.n0
		tests++
		yield(c)
	}
	unknown := change{bit: -1, k0: b.rest, k: now.rest}
	var items uint64
	var most float64
	for _, k := range now.list {
		items |= k.key
		if k0, ok := b.of(k.key); ok {
			test(change{bit: -1, key: k.key, k0: k0, k: k.n})
		} else {
			if k.n > most {
				unknown.key, most = k.key, k.n
			}
			unknown.k += k.n
		}
	}
	if unknown.k > 0 {
		test(unknown)
	}
	if !sets {
		return tests
	}
	for _, k := range b.list {
		items |= k.key
	}
	for ; items != 0; items &= items - 1 {
		bit := bits.TrailingZeros64(items)
		test(change{bit: bit, key: 1 << bit, k0: b.with(bit), k: now.with(bit)})
	}
	return tests
}

// learn adds the next window.
func (m *mix) learn(now *counts, sets bool) {
	if m.base.n > 0 {
		var worst, twice float64
		bound := float64(4 * m.dispersion())
		tests := m.changes(now, sets, func(c change) {
			worst = max(worst, c.surprise)
			twice += min(float64(2*c.surprise*m.dispersion()), bound)
		})
		if tests > 0 {
			m.excess += twice / float64(tests)
			m.seen++
		}
		if worst > gate+exact.Log(float64(tests+1)) {
			m.other.addAll(now)
			if m.others++; m.others < min(m.windows+1, adoptLast) {
				return
			}
			m.base, m.windows = m.other, m.others-1
			now = &counts{}
		}
	}
	m.other, m.others = counts{}, 0
	m.base.addAll(now)
	if m.windows++; m.windows >= 2*forgetWindows {
		m.base.halve()
		m.windows, m.excess, m.seen = m.windows/2, m.excess/2, m.seen/2
	}
}
