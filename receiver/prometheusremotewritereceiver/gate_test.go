// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package prometheusremotewritereceiver

import (
	"sync"
	"testing"
	"time"

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

// However many clients there are, no more are inside than may be, and all leave.
func TestGateUnderLoad(t *testing.T) {
	const all, each = 5, 2
	g := newGate(all, each, time.Minute)
	var mu sync.Mutex
	inside, perClient, most := 0, map[string]int{}, 0
	var wait sync.WaitGroup
	for i := range 120 {
		client := string(rune('a' + i%8))
		wait.Go(func() {
			leave, err := g.enter(t.Context(), client)
			if !assert.NoError(t, err) {
				return
			}
			mu.Lock()
			inside++
			perClient[client]++
			most = max(most, inside)
			assert.LessOrEqual(t, inside, all)
			assert.LessOrEqual(t, perClient[client], each)
			mu.Unlock()
			time.Sleep(time.Millisecond)
			mu.Lock()
			inside--
			perClient[client]--
			mu.Unlock()
			leave()
		})
	}
	wait.Wait()
	assert.Equal(t, all, most)
	assert.Empty(t, g.lanes)
	assert.Empty(t, g.places)
}
