// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package template

import (
	"slices"
	"strings"

	"github.com/auspex-otel/auspex/internal/template/hash"
	"github.com/auspex-otel/auspex/internal/template/scan"
)

// A column is a position in a skeleton with its context. Templates that differ in one cell share
// the column of that cell. Its key is a hash of the context.
type column struct {
	cells   int32 // number of templates with it, each with a different cell
	general int32 // the template in which the cell is a wildcard, or none
}

// cut returns the cells of a skeleton. The result is valid until the next call.
func (m *Miner) cut(skeleton string) []scan.Cell {
	m.cells = scan.AppendCells(m.cells[:0], skeleton)
	return m.cells
}

// place makes a new node a part of a general template, or a separate template, which may cause a
// merge. It reports whether the template is new.
func (m *Miner) place(i int32) bool {
	m.setKeys(i)
	keys := m.nodes[i].keys
	for pos, k := range keys {
		if k == noColumn {
			continue
		}
		if c := m.column(k); c.general != none && m.root(c.general) != i {
			cell := m.cut(m.nodes[i].skeleton)[pos]
			m.adopt(i, m.root(c.general), cell.Start, cell.End)
			return false
		}
	}
	if m.nodes[i].count == 0 && m.nodes[i].kids == 0 && m.join(i) {
		return false
	}
	for _, k := range keys {
		m.addCell(k)
	}
	for _, k := range m.nodes[i].kin {
		m.addCell(k)
	}
	for pos, k := range keys {
		if k != noColumn && m.nodes[i].parent == none && toLook(m.columns[k].cells) {
			m.merge(k, i, pos)
		}
	}
	if m.nodes[i].parent == none {
		m.gather(i)
	}
	return m.nodes[i].parent == none
}

// toLook reports whether a column with this number of cells is examined. Each examination walks
// over all templates.
func toLook(cells int32) bool { return cells >= 2 && cells <= 8 || cells%4 == 0 }

// noColumn is the key of a cell without words around it, which is never merged.
const noColumn = 0

func (m *Miner) setKeys(i int32) {
	n := &m.nodes[i]
	service := hash.String(hash.K0, n.service)
	cells := m.cut(n.skeleton)
	n.keys = make([]uint64, len(cells))
	words := anchors(cells)
	for j, c := range cells {
		if (words > 1 || words == 1 && !c.IsWord()) && scan.OutcomeOf(n.skeleton[c.Start:c.End]) == scan.Neutral {
			n.keys[j] = hash.String(hash.String(service, n.skeleton[:c.Start]), n.skeleton[c.End:])
		}
	}
	spans := m.families(n.service, n.skeleton)
	n.kin = make([]uint64, len(spans))
	for j, f := range spans {
		n.kin[j] = f.key
	}
}

func anchors(cells []scan.Cell) (n int) {
	for _, c := range cells {
		if c.IsWord() {
			n++
		}
	}
	return n
}

// column returns the column of a key, or an empty one.
func (m *Miner) column(k uint64) column {
	if c, ok := m.columns[k]; ok {
		return c
	}
	return column{general: none}
}

func (m *Miner) addCell(k uint64) {
	if k == noColumn {
		return
	}
	c := m.column(k)
	c.cells++
	m.columns[k] = c
}

func (m *Miner) setColumn(k uint64, c column) {
	if c.cells == 0 && c.general == none {
		delete(m.columns, k)
	} else {
		m.columns[k] = c
	}
}

// withdraw removes a node from its columns.
func (m *Miner) withdraw(i int32) {
	n := &m.nodes[i]
	if n.parent != none {
		return
	}
	for _, k := range n.keys {
		if k != noColumn {
			c := m.columns[k]
			c.cells--
			m.setColumn(k, c)
		}
	}
	for _, k := range n.kin {
		c := m.columns[k]
		c.cells--
		m.setColumn(k, c)
	}
}

// adopt makes a node a part of another, which has a wildcard instead of the part [start,end) of
// its skeleton.
func (m *Miner) adopt(i, general int32, start, end int) {
	n, g := &m.nodes[i], &m.nodes[general]
	if g.text != g.skeleton && m.generalText(n, start) != g.text {
		g.text = g.skeleton
	}
	n.slots = m.generalSlots(n.skeleton, start, end)
	n.parent = general
	n.keys, n.kin, n.text, n.skeleton, n.example = nil, nil, "", "", ""
	g.kids++
	m.roots--
}

// generalize scans the skeleton into m.skel, with a wildcard instead of the part [start,end). It
// returns the numbers of wildcards before the part and in it.
func (m *Miner) generalize(skeleton string, start, end int) (before, in int) {
	m.masked.ScanSkeleton(skeleton[:start] + scan.Wildcard + skeleton[end:])
	m.skel.Read(&m.masked)
	return strings.Count(skeleton[:start], scan.Wildcard), strings.Count(skeleton[start:end], scan.Wildcard)
}

// generalSlots maps the wildcards of this skeleton to those of the general skeleton.
func (m *Miner) generalSlots(skeleton string, start, end int) []uint8 {
	before, in := m.generalize(skeleton, start, end)
	slots := make([]uint8, strings.Count(skeleton, scan.Wildcard))
	for w := range slots {
		v := w
		if w >= before+in {
			v = w - in + 1
		} else if w >= before {
			v = before
		}
		slots[w] = uint8(min(m.skel.Places[min(v, len(m.skel.Places)-1)].Slot, maxSlot))
	}
	return slots
}

// generalText returns the text of a node with a wildcard instead of the cell of its skeleton at
// start, or "" if the text has no such cell.
func (m *Miner) generalText(n *node, start int) string {
	cells := m.cut(n.skeleton)
	pos := slices.IndexFunc(cells, func(c scan.Cell) bool { return c.Start == start })
	if pos < 0 {
		return ""
	}
	c := cells[pos]
	if c.Letters == 0 {
		return n.text
	}
	want, nth := n.skeleton[c.Start:c.End], 0
	for _, other := range cells[:pos] {
		if n.skeleton[other.Start:other.End] == want {
			nth++
		}
	}
	for _, c := range m.cut(n.text) {
		if have := n.text[c.Start:c.End]; have != want && have[:len(have)-1]+scan.Wildcard != want {
			continue
		}
		if nth == 0 {
			return n.text[:c.Start] + scan.Wildcard + n.text[c.End:]
		}
		nth--
	}
	return ""
}

// merge merges the templates of column k if its cells look like values. Node i has it at pos.
func (m *Miner) merge(k uint64, i int32, pos int) {
	m.makeRoom() // before the members are known, so that none is evicted
	members, places := m.members(k)
	if !m.varies(members, places) {
		return
	}
	first := &m.nodes[i]
	cell := m.cut(first.skeleton)[pos]
	m.generalize(first.skeleton, cell.Start, cell.End)
	id := identify(first.service, m.skel.Text)
	g, ok := m.byID[id]
	if ok {
		g = m.root(g)
	} else {
		n := node{id: id, parent: none, service: first.service, skeleton: string(m.skel.Text), example: first.example}
		n.text = m.generalText(first, cell.Start)
		if n.text == "" {
			n.text = n.skeleton
		}
		n.words = m.wordCells(n.skeleton, members, pos)
		g = m.add(n)
	}
	m.takeColumn(k, g, members, places)
	if ok {
		return
	}
	m.place(g)
	for pos, k := range m.nodes[g].keys {
		if k != noColumn && m.nodes[g].parent == none && m.nodes[g].words>>pos&1 != 0 && m.column(k).general == none {
			members, places := m.members(k)
			m.takeColumn(k, g, members, places)
		}
	}
}

// wordCells returns the wildcards of a new general skeleton that replace words: that of the cell,
// and those of the members. It returns none if the cells have changed.
func (m *Miner) wordCells(skeleton string, members []int32, pos int) uint32 {
	n := len(m.cut(skeleton))
	words := uint32(1) << pos
	for _, i := range members {
		if len(m.nodes[i].keys) != n {
			return 0
		}
		words |= m.nodes[i].words
	}
	return words
}

// takeColumn makes a template the general one of a column and all others in it parts of it.
func (m *Miner) takeColumn(k uint64, g int32, members []int32, places []int) {
	c := m.column(k)
	c.general = g
	m.columns[k] = c
	m.nodes[g].from = append(m.nodes[g].from, k)
	for j, member := range members {
		if member != g {
			c := m.cut(m.nodes[member].skeleton)[places[j]]
			m.take(member, g, c.Start, c.End)
		}
	}
}

// take makes a known template a part of a general one, and adds its lines.
func (m *Miner) take(member, g int32, start, end int) {
	m.withdraw(member)
	m.nodes[g].count += m.nodes[member].count
	m.nodes[g].last = max(m.nodes[g].last, m.nodes[member].last)
	m.adopt(member, g, start, end)
}

// members returns the templates that share a column, and the indexes of their cells.
func (m *Miner) members(k uint64) (members []int32, places []int) {
	for i := range m.nodes {
		for pos, key := range m.nodes[i].keys {
			if key == k {
				members, places = append(members, int32(i)), append(places, pos)
				break
			}
		}
	}
	return members, places
}

// minCells is the minimum number of different cells of a variable in a column with much context.
const minCells = 4

// varies reports whether the cells of a column look like values of a variable. More cells, more
// value-like cells, and more words around them are stronger evidence.
func (m *Miner) varies(members []int32, places []int) bool {
	var looks scan.Looks
	around := 0
	for j, i := range members {
		skeleton := m.nodes[i].skeleton
		cells := m.cut(skeleton)
		c := cells[places[j]]
		looks[c.Look(skeleton)]++
		if around = anchors(cells); c.IsWord() {
			around--
		}
	}
	plain, shaped, enums, wild := looks[scan.Plain], looks[scan.Shaped], looks[scan.Enum], looks[scan.Wild]
	need := minCells
	switch around {
	case 1:
		need = 12
	case 2:
		need = 8
	case 3:
		need = 5
	}
	n := plain + shaped + enums + wild
	if enums > plain+shaped {
		return n >= 4*need
	}
	if wild > 0 {
		return shaped > 0 || plain > 1
	}
	if shaped == n {
		need = minCells
	}
	return n >= need
}
