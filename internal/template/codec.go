// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package template

import (
	"math"
	"slices"

	"github.com/auspex-otel/auspex/internal/state"
	"github.com/auspex-otel/auspex/internal/template/scan"
)

const (
	stateVersion = 1
	maxService   = 1 << 16
	maxText      = 4 * scan.MaxLine // a text has a wildcard for a digit
)

// A state contains: version u8, lines u64, evicted u64, then for the young and for the settled
// templates: number u32, and for each in the order of the queue: parent u32 (its position in the
// state from 1, 0 for none), id u64, uses u8, lines u64, last u64, service; if it has no parent,
// text, skeleton, example, strict u64, words u32; slots, number u32 and keys u64 of the columns
// in which it is general. A text is its length u32 and its bytes. Columns, keys, and numbers of
// parts are derived. A complete state then contains the places in memory of all templates in the same order, and the
// free places: number u32, and u32 each.

// AppendBinary appends the state of the miner, without its configuration.
func (m *Miner) AppendBinary(b []byte) ([]byte, error) {
	c := state.Writer(b)
	m.State(c)
	return c.Bytes(), c.End()
}

// UnmarshalBinary replaces the state of the miner. After an error the miner is empty.
func (m *Miner) UnmarshalBinary(b []byte) error {
	c := state.Reader(b)
	m.State(c)
	return c.End()
}

// State writes the state of the miner, without its configuration, or reads and replaces it. After an error the miner
// is empty.
func (m *Miner) State(c *state.Codec) {
	if !c.Reading() {
		m.state(c)
		return
	}
	*m = *New(m.cfg)
	m.state(c)
	c.Check(c.End() == nil && m.rebuild())
	if !c.Ok() {
		*m = *New(m.cfg)
	}
}

func (m *Miner) state(c *state.Codec) {
	version := uint8(stateVersion)
	c.Uint8(&version)
	c.Check(version == stateVersion)
	c.Uint64(&m.seen)
	c.Uint64(&m.evicted)
	number := make([]uint32, len(m.nodes)) // position of a node in the state, from 1
	n := uint32(0)
	for _, q := range []*queue{&m.young, &m.settled} {
		for k := range q.n {
			n++
			number[q.ring[(q.head+k)%len(q.ring)]] = n
		}
	}
	for _, q := range []*queue{&m.young, &m.settled} {
		n := uint32(q.n)
		c.Uint32(&n)
		for k := 0; k < int(n) && c.Ok(); k++ {
			if c.Reading() {
				q.push(int32(len(m.nodes)))
				m.nodes = append(m.nodes, node{})
			}
			m.nodes[q.ring[(q.head+k)%len(q.ring)]].state(c, number)
		}
	}
	if c.Complete() {
		m.placesState(c)
	}
}

// placesState writes or reads the places of the nodes, in the order of the queues, then the free places. Merges process
// nodes in the order of their places.
func (m *Miner) placesState(c *state.Codec) {
	var places []int32
	if !c.Reading() {
		for _, q := range []*queue{&m.young, &m.settled} {
			for k := range q.n {
				places = append(places, q.ring[(q.head+k)%len(q.ring)])
			}
		}
		places = append(places, m.free...)
	}
	state.List(c, &places, 4, func(i *int32) {
		n := uint32(*i)
		c.Uint32(&n)
		*i = int32(n)
	})
	if c.Reading() && c.Ok() {
		c.Check(m.move(places))
	}
}

// move moves every node to its place. The last places become free. It returns false if these are not all places.
func (m *Miner) move(places []int32) bool {
	number := len(m.nodes)
	for i, place := range slices.Sorted(slices.Values(places)) {
		if int(place) != i {
			return false
		}
	}
	if len(places) < number {
		return false
	}
	moved := make([]node, len(places))
	for k, place := range places {
		if moved[place].parent = none; k >= number {
			continue
		}
		n := m.nodes[k]
		if int(n.parent) >= number {
			return false
		}
		if n.parent != none {
			n.parent = places[n.parent]
		}
		moved[place] = n
	}
	for _, q := range []*queue{&m.young, &m.settled} {
		for k := range q.n {
			i := &q.ring[(q.head+k)%len(q.ring)]
			*i = places[*i]
		}
	}
	m.nodes, m.free = moved, slices.Clone(places[number:])
	return true
}

// state writes or reads one node. While reading, the parent is its position in the state.
func (n *node) state(c *state.Codec, number []uint32) {
	parent := uint32(n.parent)
	if !c.Reading() {
		parent = 0
		if n.parent != none {
			parent = number[n.parent]
		}
	}
	c.Uint32(&parent)
	c.Check(parent < math.MaxInt32)
	if c.Reading() {
		n.parent = int32(parent) - 1
	}
	id := uint64(n.id)
	c.Uint64(&id)
	c.Check(id != 0)
	n.id = ID(id)
	c.Uint8(&n.uses)
	c.Check(n.uses <= maxUses)
	c.Uint64(&n.count)
	c.Uint64(&n.last)
	c.Text(&n.service, maxService)
	if parent == 0 {
		c.Text(&n.text, maxText)
		c.Text(&n.skeleton, maxText)
		c.Text(&n.example, maxExample)
		c.Uint64(&n.strict)
		c.Uint32(&n.words)
		c.Check(n.skeleton != "" || n.text == "")
	}
	slots := string(n.slots)
	c.Text(&slots, maxText)
	size := uint32(len(n.from))
	c.Uint32(&size)
	for k := 0; k < int(size) && c.Ok(); k++ {
		if c.Reading() {
			n.from = append(n.from, 0)
		}
		c.Uint64(&n.from[k])
	}
	if c.Reading() {
		n.slots = []byte(slots)
	}
}

// rebuild derives the remaining data from the nodes that were read. It returns false if they are inconsistent.
func (m *Miner) rebuild() bool {
	for i := range m.nodes {
		n := &m.nodes[i]
		if n.id == 0 {
			continue // a free place
		}
		if m.cfg.NoExamples {
			n.example = ""
		}
		if _, twice := m.byID[n.id]; twice || int(n.parent) >= len(m.nodes) {
			return false
		}
		m.byID[n.id] = int32(i)
		if n.parent != none {
			m.nodes[n.parent].kids++
		}
	}
	for i := range m.nodes {
		if !m.hasRoot(int32(i)) {
			return false // a template is a part of itself
		}
		n := &m.nodes[i]
		if n.parent == none && n.id != 0 {
			m.roots++
			m.setKeys(int32(i))
			for _, k := range n.keys {
				m.addCell(k)
			}
			for _, k := range n.kin {
				m.addCell(k)
			}
		}
	}
	for i := range m.nodes {
		for _, k := range m.nodes[i].from {
			c := m.column(k)
			c.general = int32(i)
			m.columns[k] = c
		}
	}
	for len(m.byID) > m.cfg.MaxTemplates {
		m.evict()
	}
	return true
}

// hasRoot reports whether the parents of a node form no cycle.
func (m *Miner) hasRoot(i int32) bool {
	for range m.nodes {
		if i == none {
			return true
		}
		i = m.nodes[i].parent
	}
	return i == none
}
