// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package state writes and reads the binary form of small, bounded states. A
// type lists its fields once, in one method, which serves both directions:
//
//	func (m *Mean) State(c *state.Codec) {
//		c.Float64(&m.sum)
//		c.Check(m.n <= limit)
//	}
//
// Numbers are little-endian and of fixed size, but for counts, which are mostly
// 0 and take a varint each, with runs of 0 as one.
package state
