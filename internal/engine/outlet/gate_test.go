// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package outlet

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestClosedGateAdmitsNothing(t *testing.T) {
	var g Gate
	_, leave, ok := g.Enter(t.Context())
	require.True(t, ok)
	leave()
	leave()
	assert.True(t, g.Close(0), "no delivery is running")
	_, _, ok = g.Enter(t.Context())
	assert.False(t, ok)
	assert.True(t, g.Close(0))
}

func TestCloseCancelsAndWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g Gate
		var ended atomic.Bool
		for range 2 {
			ctx, leave, ok := g.Enter(context.Background())
			require.True(t, ok)
			go func() {
				<-ctx.Done()
				time.Sleep(time.Second)
				ended.Store(true)
				leave()
			}()
		}
		assert.True(t, g.Close(2*time.Second))
		assert.True(t, ended.Load())
	})
}

func TestCloseDoesNotWaitForever(t *testing.T) {
	var g Gate
	_, leave, _ := g.Enter(t.Context())
	assert.False(t, g.Close(time.Millisecond))
	leave()
	assert.True(t, g.Close(time.Millisecond))
}
