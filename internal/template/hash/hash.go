// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package hash hashes texts to 64 bits. The results are equal on every machine and never change,
// because ids of templates and saved states contain them. The hash is fast but not resistant to
// attacks.
package hash

import "math/bits"

// Odd constants with similar numbers of ones and zeros. They also serve as seeds for hashes that
// must differ.
const (
	K0 = 0x9e3779b97f4a7c15
	K1 = 0xd6e8feb86659fd93
	K2 = 0xa0761d6478bd642f
)

// Mix returns h with v mixed in.
func Mix(h, v uint64) uint64 {
	hi, lo := bits.Mul64(h^v^K1, K0)
	return hi ^ lo
}

// String returns h with s mixed in, eight bytes at a time.
func String(h uint64, s string) uint64 {
	n := len(s)
	h ^= uint64(n) * K2
	for len(s) >= 8 {
		h = Mix(h, load8(s))
		s = s[8:]
	}
	if len(s) >= 4 {
		return Mix(h, uint64(load4(s))|uint64(load4(s[len(s)-4:]))<<32)
	}
	if len(s) > 0 {
		return Mix(h, uint64(s[0])|uint64(s[len(s)>>1])<<8|uint64(s[len(s)-1])<<16)
	}
	return Mix(h, 0)
}

func load8(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 | uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

func load4(s string) uint32 {
	_ = s[3]
	return uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
}
