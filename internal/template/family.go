// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package template

import (
	"slices"
	"strings"

	"github.com/auspex-otel/auspex/internal/template/hash"
	"github.com/auspex-otel/auspex/internal/template/scan"
)

// A family is the set of templates that begin with the same words. Templates of free text, such
// as messages of users, share no column, and new ones arrive without end. If a family has many
// templates that were hardly seen again, these become parts of one general template: the common
// words and a wildcard. Templates of the family that recur are kept.
//
// Templates never share a family if only one of them states a failure, or if they have different
// stack frames.

// span is the part [start,end) of a skeleton that a family leaves open.
type span struct {
	key        uint64
	twin       uint64 // key of the family with the same words and the opposite outcome
	start, end int
	words      int // number of words that the family shares
}

// depths lists the numbers of words that define families.
var depths = [...]int{12, 8, 6, 4, 3, 2, 1}

const (
	// rareCount is the highest count of a template that adds to the growth of its family.
	rareCount = 2
	// familyStep is the number of new templates after which a family is examined again. Each
	// examination walks over all templates.
	familyStep = 4
)

// minFamily returns the number of rare templates above which a family with the given number of
// shared words keeps growing. The first lines of a program also differ, so few shared words
// require many templates.
func minFamily(words int) int {
	switch words {
	case 1:
		return 64
	case 2:
		return 48
	case 3:
		return 24
	}
	return 16
}

// twinShare is the divisor of minFamily if the twin of the family has already grown: free text
// then follows its words.
const twinShare = 4

// families returns the families of a skeleton, those with the most words first. The result is
// valid until the next call.
func (m *Miner) families(service, skeleton string) []span {
	m.spans, m.words = m.spans[:0], m.words[:0]
	from, to := message(skeleton)
	seed := hash.String(hash.String(hash.String(hash.K1, service), skeleton[:from]), skeleton[to:])
	own := uint64(scan.OutcomesIn(skeleton[from:to]) & scan.Bad)
	seed, twin := hash.Mix(seed, own), hash.Mix(seed, own^uint64(scan.Bad))
	for _, c := range m.cut(skeleton) {
		if c.Start >= from && c.End <= to && c.IsWord() {
			m.words = append(m.words, c)
		}
	}
	for _, n := range depths {
		if n >= len(m.words) {
			continue
		}
		if end := m.words[n-1].Next(skeleton[:to]); end < to {
			m.spans = append(m.spans, span{hash.String(seed, skeleton[from:end]), hash.String(twin, skeleton[from:end]), end, to, n})
		}
	}
	return m.spans
}

// message returns the bounds of a skeleton without the frames of a stack trace. The message
// precedes the frames, or follows them as in Python.
func message(skeleton string) (from, to int) {
	const next, frame = " | ", "at "
	first := strings.Index(skeleton, next+frame)
	if first < 0 {
		return 0, len(skeleton)
	}
	last := strings.LastIndex(skeleton, next) + len(next)
	if rest := skeleton[last:]; strings.HasPrefix(rest, frame) || strings.HasPrefix(rest, cause) {
		return 0, first
	}
	return last, len(skeleton)
}

// need returns the number of rare templates above which the family keeps growing.
func (m *Miner) need(f span) int {
	if m.column(f.twin).general != none {
		return minFamily(f.words) / twinShare
	}
	return minFamily(f.words)
}

// grows reports whether the family keeps growing: it has as many rare templates as it needs, or
// four times as many if they have less than a third of its lines.
func (m *Miner) grows(f span, members []int32, lines uint64) bool {
	need, rare := m.need(f), uint64(0)
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
		n := &m.nodes[i]
		if !slices.Contains(n.kin, key) {
			continue
		}
		lines += n.count
		if n.count <= rareCount && n.kids == 0 {
			members = append(members, int32(i))
		}
	}
	return members, lines
}

// join makes the new node i a part of the general template of a family. It returns false if there
// is none.
func (m *Miner) join(i int32) bool {
	for _, f := range m.families(m.nodes[i].service, m.nodes[i].skeleton) {
		if c := m.column(f.key); c.general != none && m.root(c.general) != i {
			m.adopt(i, m.root(c.general), f.start, f.end)
			return true
		}
	}
	return false
}

// gather merges the rare templates of a growing family of node i.
func (m *Miner) gather(i int32) {
	for _, f := range m.families(m.nodes[i].service, m.nodes[i].skeleton) {
		c := m.column(f.key)
		if int(c.cells) < m.need(f) || c.cells%familyStep != 0 {
			continue
		}
		m.makeRoom() // before the members are known, so that none is evicted
		members, lines := m.relatives(f.key)
		if m.grows(f, members, lines) {
			m.collapse(f, i, members)
			return
		}
	}
}

// collapse makes the members parts of the general template of family f of node i.
func (m *Miner) collapse(f span, i int32, members []int32) {
	first := &m.nodes[i]
	m.generalize(first.skeleton, f.start, f.end)
	id := identify(first.service, m.skel.Text)
	g, ok := m.byID[id]
	if ok {
		g = m.root(g)
	} else {
		skeleton := string(m.skel.Text)
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
