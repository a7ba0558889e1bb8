// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package promwrite

import (
	"hash/maphash"
	"strings"
)

const (
	internTexts = 1 << 13 // that are remembered; a power of 2
	internBytes = 256     // of a text that is remembered
)

// interner makes texts that hold nothing of the request that they were part of: a
// series that is remembered would otherwise keep its whole request in memory.
// Senders repeat their texts, and most come from the table.
type interner struct {
	seed  maphash.Seed
	texts [internTexts]string // by hash; a newer text replaces the one in its place
}

func newInterner() *interner { return &interner{seed: maphash.MakeSeed()} }

func (n *interner) text(s string) string {
	if s == "" {
		return ""
	}
	if len(s) > internBytes {
		return strings.Clone(s)
	}
	known := &n.texts[maphash.String(n.seed, s)%internTexts]
	if *known != s {
		*known = strings.Clone(s)
	}
	return *known
}
