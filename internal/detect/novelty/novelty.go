// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package novelty

import (
	"math"

	"github.com/auspex-otel/auspex/internal/exact"
	"github.com/auspex-otel/auspex/internal/state"
)

// Class is the severity of a new item.
type Class uint8

// Classes.
const (
	Usual Class = iota
	Grave
	classes
)

const (
	// warmUp is the number of windows before new items are judged.
	warmUp = 100
	// memory is the half-life of the counts of a model, in windows.
	memory = 5760
	// day is the number of windows of 15 s in a day.
	day = 5760
	// weight is the weight of the pool in a model, in windows. poolWeight is the weight of
	// the prior in a pool, in windows.
	weight, poolWeight = 500, 50_000
	// meanSize is the prior mean number of new items in a window with any. sizeWeight is the weight of that prior, in
	// windows.
	meanSize, sizeWeight = 2, 20
	// sizeClip bounds the effect of one window, which may be a fault, on the mean size.
	sizeClip = 10
)

var keep = exact.Exp2(-1.0 / memory)

// prior is the prior share of windows with a new item: usual ones once a day, severe ones once in two months.
var prior = [classes]float64{1.0 / day, 0.5 / (30 * day)}

// Pool counts, over all sources of one kind, the windows and those with a new item. It prevents a new source of a
// kind with frequent new items from counting as settled. The zero value is empty.
type Pool struct {
	windows float64
	events  [classes]float64
}

// Model is the model of one source. The zero value is empty.
type Model struct {
	seen    uint32  // windows, up to warmUp
	windows float64 // since then, decaying
	events  [classes]float64
	sizes   [classes]float64 // number of items in those windows
}

// Warm reports whether the source has enough windows to be judged.
func (m *Model) Warm() bool { return m.seen >= warmUp }

// Surprise returns -ln p, in nats, of a window with so many new things of each class, at
// least 0, and 0 until the model is warm. If something new of a class has come in k of
// n windows of this source, and in a share r of those of its pool,
//
//	ln p = ln (k + weight·r)/(n + weight) + (size - 1)·ln(1 - 1/mean size)
//
// is the chance of so many in one window. The least over the classes counts, doubled because there are two.
func (m *Model) Surprise(pool *Pool, sizes [classes]int) float64 {
	most := 0.0
	if !m.Warm() {
		return most
	}
	for c, size := range sizes {
		if size == 0 {
			continue
		}
		rate := exact.Log((m.events[c] + float64(weight*pool.rate(c))) / (m.windows + weight))
		mean := (m.sizes[c] + meanSize*sizeWeight) / (m.events[c] + sizeWeight)
		most = max(most, -(rate + float64(float64(size-1)*exact.Log(1-1/mean))))
	}
	return max(0, most-math.Ln2)
}

// rate returns the share of a pool's windows with a new item of a class.
func (p *Pool) rate(c int) float64 {
	return (p.events[c] + float64(poolWeight*prior[c])) / (p.windows + poolWeight)
}

// Learn adds a window. It counts no new items during warm-up, when all items are new.
func (m *Model) Learn(pool *Pool, sizes [classes]int) {
	if m.seen < warmUp {
		m.seen++
		return
	}
	m.windows = float64(m.windows*keep) + 1
	pool.windows = float64(pool.windows*keep) + 1
	for c, size := range sizes {
		m.events[c] = float64(m.events[c] * keep)
		m.sizes[c] = float64(m.sizes[c] * keep)
		pool.events[c] = float64(pool.events[c] * keep)
		if size > 0 {
			m.events[c]++
			m.sizes[c] += float64(min(size, sizeClip))
			pool.events[c]++
		}
	}
}

// State writes or reads the model.
func (m *Model) State(c *state.Codec) {
	c.Uint32(&m.seen)
	c.Float64(&m.windows)
	c.Float64s(m.events[:])
	c.Float64s(m.sizes[:])
	c.Check(m.seen <= warmUp && m.windows >= 0)
	for i, n := range m.events {
		c.Check(n >= 0 && n <= m.windows && m.sizes[i] >= n && m.sizes[i] <= sizeClip*n)
	}
}

// State writes or reads the pool.
func (p *Pool) State(c *state.Codec) {
	c.Float64(&p.windows)
	c.Float64s(p.events[:])
	c.Check(p.windows >= 0)
	for _, n := range p.events {
		c.Check(n >= 0 && n <= p.windows)
	}
}
