// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package replay

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestQueue(t *testing.T) {
	var q Queue[string]
	assert.False(t, q.Due(100))
	for place, time := range []int64{3, 1, 2, 1} {
		q.Push(time, place, string(rune('a'+place)))
	}
	assert.False(t, q.Due(0))
	assert.True(t, q.Due(1))
	var order []string
	for q.Len() > 0 {
		order = append(order, q.Pop())
	}
	assert.Equal(t, []string{"b", "d", "c", "a"}, order, "by time, then by place")
}
