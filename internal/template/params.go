// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package template

import "github.com/auspex-otel/auspex/internal/template/scan"

// Param is a number of a line. Its slot is one of the skeleton of the final template.
type Param = scan.Param

// maxSlot is the highest slot that is told from the next.
const maxSlot = 255

// Params appends the numbers of the line that Observe saw last, without those of what is masked.
func (m *Miner) Params(dst []Param) []Param {
	if len(m.nodes) == 0 || m.seen == 0 {
		return dst
	}
	s := &m.scanner
	if safe := m.cfg.Mask.Mask(s.Line()); safe != s.Line() {
		s = &m.masked
		s.Scan(safe)
	}
	from := len(dst)
	dst = s.AppendParams(dst, &m.skel)
	for i := from; i < len(dst); i++ {
		dst[i].Slot = m.finalSlot(dst[i].Slot)
	}
	return dst
}

// finalSlot follows a slot of the current node to the template that it is a part of.
func (m *Miner) finalSlot(slot int) int {
	slot = min(slot, maxSlot)
	for n := &m.nodes[m.current]; n.parent != none; n = &m.nodes[n.parent] {
		if slot < len(n.slots) {
			slot = int(n.slots[slot])
		}
	}
	return slot
}
