// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package template

import "math/bits"

// Odd constants with about as many ones as zeros.
const (
	k0 = 0x9e3779b97f4a7c15
	k1 = 0xd6e8feb86659fd93
	k2 = 0xa0761d6478bd642f
)

// mix takes v into h.
func mix(h, v uint64) uint64 {
	hi, lo := bits.Mul64(h^v^k1, k0)
	return hi ^ lo
}

// hashString hashes a text, eight bytes at a time. Equal on every machine.
func hashString(h uint64, s string) uint64 {
	n := len(s)
	h ^= uint64(n) * k2
	for len(s) >= 8 {
		h = mix(h, load8(s))
		s = s[8:]
	}
	if len(s) >= 4 {
		return mix(h, uint64(load4(s))|uint64(load4(s[len(s)-4:]))<<32)
	}
	if len(s) > 0 {
		return mix(h, uint64(s[0])|uint64(s[len(s)>>1])<<8|uint64(s[len(s)-1])<<16)
	}
	return mix(h, 0)
}

func load8(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 | uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

func load4(s string) uint32 {
	_ = s[3]
	return uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
}

// shape hashes what appendText shows: equal shapes have equal texts and skeletons.
func (s *scanner) shape(h uint64) uint64 {
	for _, t := range s.tokens {
		v := uint64(t.kind)<<1 | uint64(btoi(t.spaced))
		switch {
		case t.kind != variable:
			h = hashString(h^v*k0, s.line[t.start:t.end])
		case t.start == t.end:
			h = mix(h, v|1<<8)
		default:
			h = mix(h, v|1<<9)
		}
	}
	return h
}
