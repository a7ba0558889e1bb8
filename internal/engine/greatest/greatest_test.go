// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package greatest

import (
	"cmp"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestGreatest(t *testing.T) {
	for limit, want := range map[int][]int{0: {}, 3: {9, 8, 7}, 20: {9, 8, 7, 6, 5, 4, 3, 2, 1, 0}} {
		v := New(limit, cmp.Compare[int])
		for i := range 10 {
			v.Offer(i * 7 % 10)
		}
		assert.ElementsMatch(t, want, v.Sorted())
		assert.IsDecreasing(t, append(v.Sorted(), -1))
	}
}
