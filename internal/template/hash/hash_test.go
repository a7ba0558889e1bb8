// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package hash

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// The hash depends on all bytes at every length, and on each repetition of a byte.
func TestEveryByteCounts(t *testing.T) {
	seen := map[uint64]string{}
	add := func(s string) {
		h := String(K0, s)
		other, twice := seen[h]
		assert.False(t, twice, "%q and %q", s, other)
		seen[h] = s
	}
	for n := range 40 {
		add(strings.Repeat("a", n))
		for i := range n {
			add(strings.Repeat("a", i) + "b" + strings.Repeat("a", n-i-1))
		}
	}
}

func TestSeedCounts(t *testing.T) {
	assert.NotEqual(t, String(K0, "a"), String(K1, "a"))
}

// Ids of templates and saved states contain these values.
func TestValuesDoNotChange(t *testing.T) {
	assert.Equal(t, uint64(0xf6b1e1e5d5b96d88), Mix(1, 2))
	for s, want := range map[string]uint64{
		"": 0x9d9ec8084f581e51, "abc": 0x42c3be365ad8c896, "abcdef": 0x1f0104a32c71ca10, "order 17 took 3 ms": 0x17ef8208abd5024e,
	} {
		assert.Equal(t, want, String(K0, s), s)
	}
}
