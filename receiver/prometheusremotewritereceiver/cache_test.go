// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package prometheusremotewritereceiver

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCacheKeepsWhatIsUsed(t *testing.T) {
	gone := 0
	c := newCache[int](10, func(int) { gone++ })
	for i := range 100 {
		c.put(i, i)
		_, ok := c.get(0)
		require.True(t, ok, "0 is used, %d others came", i)
		require.LessOrEqual(t, len(c.young)+len(c.old), 10)
	}
	for i := 95; i < 100; i++ {
		_, ok := c.get(i)
		assert.True(t, ok, i)
	}
	_, ok := c.get(50)
	assert.False(t, ok)
	assert.GreaterOrEqual(t, gone, 90)
	v, ok := c.take(99)
	assert.True(t, ok)
	assert.Equal(t, 99, v)
	_, ok = c.get(99)
	assert.False(t, ok)
}
