// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package template

// maxUses bounds the times that a used settled template is kept instead of evicted.
const maxUses = 3

// queue is a ring of nodes in order of arrival.
type queue struct {
	ring []int32
	head int
	n    int
}

func (q *queue) push(i int32) {
	if q.n == len(q.ring) {
		grown := make([]int32, max(64, 2*len(q.ring)))
		for k := range q.n {
			grown[k] = q.ring[(q.head+k)%len(q.ring)]
		}
		q.ring, q.head = grown, 0
	}
	q.ring[(q.head+q.n)%len(q.ring)] = i
	q.n++
}

func (q *queue) pop() int32 {
	i := q.ring[q.head]
	q.head = (q.head + 1) % len(q.ring)
	q.n--
	return i
}

// add adds a node. It makes room first.
func (m *Miner) add(n node) int32 {
	m.makeRoom()
	var i int32
	if k := len(m.free); k > 0 {
		i, m.free = m.free[k-1], m.free[:k-1]
		m.nodes[i] = n
	} else {
		i = int32(len(m.nodes))
		m.nodes = append(m.nodes, n)
	}
	m.byID[n.id] = i
	m.young.push(i)
	m.roots++
	return i
}

func (m *Miner) makeRoom() {
	if len(m.byID) >= m.cfg.MaxTemplates {
		m.evict()
	}
}

// evict removes the least useful template: a young one that was not seen again, or a settled one
// that was not seen for long. A template with parts stays until they are removed.
func (m *Miner) evict() {
	for {
		if m.young.n > m.cfg.MaxTemplates/10 || m.settled.n == 0 {
			i := m.young.pop()
			n := &m.nodes[i]
			if n.uses > 1 || n.kids > 0 {
				n.uses = 0
				m.settled.push(i)
				continue
			}
			m.remove(i)
			return
		}
		i := m.settled.pop()
		n := &m.nodes[i]
		if n.uses > 0 || n.kids > 0 {
			n.uses -= min(n.uses, 1)
			m.settled.push(i)
			continue
		}
		m.remove(i)
		return
	}
}

func (m *Miner) remove(i int32) {
	n := &m.nodes[i]
	m.withdraw(i)
	if n.parent != none {
		m.nodes[n.parent].kids--
	} else {
		m.roots--
	}
	for _, k := range n.from {
		c := m.columns[k]
		c.general = none
		m.setColumn(k, c)
	}
	delete(m.byID, n.id)
	m.nodes[i] = node{parent: none}
	m.free = append(m.free, i)
	m.evicted++
}
