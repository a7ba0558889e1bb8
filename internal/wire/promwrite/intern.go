// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package promwrite

import (
	"hash/maphash"
	"strings"
)

const (
	internTexts = 1 << 13 // number of remembered texts; a power of 2
	internBytes = 256     // maximum size of a remembered text
)

// interner returns copies of texts that do not reference their request. A remembered series would
// otherwise keep its whole request in memory. Clients repeat their texts, so most come from the
// table.
type interner struct {
	seed  maphash.Seed
	texts [internTexts]string // by hash; a newer text replaces an older one
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
