// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package template

import "github.com/auspex-otel/auspex/internal/template/scan"

// Param is a number in a line. Its slot is that of the skeleton of the final template.
type Param = scan.Param

// maxSlot is the highest slot that is distinguished.
const maxSlot = 255

// Params appends the numbers of the last observed line, without masked ones.
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

// finalSlot maps a slot of the current node to the slot of its final template.
func (m *Miner) finalSlot(slot int) int {
	slot = min(slot, maxSlot)
	for n := &m.nodes[m.current]; n.parent != none; n = &m.nodes[n.parent] {
		if slot < len(n.slots) {
			slot = int(n.slots[slot])
		}
	}
	return slot
}
