// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package otlp

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestQueue(t *testing.T) {
	var q queue[string]
	assert.False(t, q.due(100))
	for place, time := range []int64{3, 1, 2, 1} {
		q.push(time, place, string(rune('a'+place)))
	}
	assert.False(t, q.due(0))
	assert.True(t, q.due(1))
	var order []string
	for q.len() > 0 {
		order = append(order, q.pop())
	}
	assert.Equal(t, []string{"b", "d", "c", "a"}, order, "by time, then by place")
}
