// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package template

import "strings"

// A family is the set of templates that begin, or end, with the same words. Templates of free text, such as messages of
// users or sentences of several words, share no column, and new ones never cease. Once a family holds many templates that
// were hardly seen again, they become parts of one general template: the common words and a wildcard. Templates of the
// family that lines do come back to stay what they are.
//
// Templates whose words state different outcomes, and those with different frames of a stack trace, are never of one family.

// span is a part [start,end) of a skeleton that a family leaves open.
type span struct {
	key        uint64
	start, end int
	words      int // that the family shares
}

// depths are the numbers of words by which families are told, for either end of a skeleton.
var depths = [...]int{12, 8, 6, 4, 3, 2, 1}

const (
	// rareCount is how often a template was seen at most that counts for the growth of its family.
	rareCount = 2
	// familyStep is the number of new templates after which a family is looked at again: each look costs a walk over all templates.
	familyStep = 8
)

// minFamily is the number of rare templates from which on a family that shares this many words keeps growing.
// If lines of the family are rarely rare, four times as many are needed.
func minFamily(words int) int {
	switch words {
	case 1:
		return 64
	case 2:
		return 40
	case 3:
		return 24
	}
	return 16
}

// families returns the families of a skeleton, those with the most words first. The result lasts until the next call.
func (m *Miner) families(service, skeleton string) []span {
	m.spans = m.spans[:0]
	body := len(skeleton)
	if k := strings.Index(skeleton, " | at "); k > 0 {
		body = k
	}
	seed := mix(hashString(hashString(k1, service), skeleton[body:]), uint64(outcomesIn(skeleton[:body])))
	cells := m.cut(skeleton[:body])
	words := m.words[:0]
	for _, c := range cells {
		if c.isAnchor() {
			words = append(words, c)
		}
	}
	m.words = words
	for _, n := range depths {
		if n >= len(words) {
			continue
		}
		if end := words[n-1].end; end < body {
			m.spans = append(m.spans, span{hashString(seed, skeleton[:end]), end, body, n})
		}
		if start := words[len(words)-n].start; start > 0 && n > 1 {
			m.spans = append(m.spans, span{hashString(^seed, skeleton[start:body]), 0, start, n})
		}
	}
	return m.spans
}

// grows tells whether the family keeps growing: how many of its templates are rare, and how many of its lines are of them.
func (m *Miner) grows(f span, members []int32, lines uint64) bool {
	need, rare := minFamily(f.words), uint64(0)
	for _, i := range members {
		rare += m.nodes[i].count
	}
	if 3*rare < lines {
		need *= 4
	}
	return len(members) >= need
}

// relatives returns the rare templates of a family, and the number of lines of all its templates.
func (m *Miner) relatives(key uint64) (members []int32, lines uint64) {
	for i := range m.nodes {
		for _, k := range m.nodes[i].kin {
			if k == key {
				lines += m.nodes[i].count
				if m.nodes[i].count <= rareCount && m.nodes[i].kids == 0 {
					members = append(members, int32(i))
				}
				break
			}
		}
	}
	return members, lines
}

// join finds the general template of a family for the new node i, and makes the node a part of it.
func (m *Miner) join(i int32) bool {
	for _, f := range m.families(m.nodes[i].service, m.nodes[i].skeleton) {
		if c := m.column(f.key); c.general != none && m.root(c.general) != i {
			m.adopt(i, m.root(c.general), f.start, f.end)
			return true
		}
	}
	return false
}

// gather makes one template of the rare ones of a family of node i that keeps growing.
func (m *Miner) gather(i int32) {
	for _, f := range m.families(m.nodes[i].service, m.nodes[i].skeleton) {
		c := m.column(f.key)
		if int(c.cells) < minFamily(f.words) || c.cells%familyStep != 0 {
			continue
		}
		m.makeRoom() // before the members are known, so that none of them goes
		members, lines := m.relatives(f.key)
		if m.grows(f, members, lines) {
			m.collapse(f, i, members)
			return
		}
	}
}

// collapse makes the members parts of the general template of the family f of node i.
func (m *Miner) collapse(f span, i int32, members []int32) {
	first := &m.nodes[i]
	m.generalize(first.skeleton, f.start, f.end)
	id := identify(first.service, m.skel.b)
	g, ok := m.byID[id]
	if ok {
		g = m.root(g)
	} else {
		skeleton := string(m.skel.b)
		g = m.add(node{id: id, parent: none, service: first.service, skeleton: skeleton, text: skeleton, example: first.example})
	}
	c := m.column(f.key)
	c.general = g
	m.columns[f.key] = c
	m.nodes[g].from = append(m.nodes[g].from, f.key)
	for _, member := range members {
		if member == g {
			continue
		}
		for _, own := range m.families(m.nodes[member].service, m.nodes[member].skeleton) {
			if own.key == f.key {
				m.take(member, g, own.start, own.end)
				break
			}
		}
	}
	if !ok {
		m.place(g)
	}
}
