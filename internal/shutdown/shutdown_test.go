// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package shutdown

import (
	"bytes"
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestWatchdogEndsTheProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		codes := make(chan int, 2)
		w := &Watchdog{Log: &log, Exit: func(code int) { codes <- code }}
		w.Begin()
		time.Sleep(Limit - 1)
		w.Begin()
		synctest.Wait()
		assert.Empty(t, codes)
		time.Sleep(Limit)
		synctest.Wait()
		assert.Equal(t, 1, <-codes)
		assert.Empty(t, codes, "it exits once")
		assert.Contains(t, log.String(), "did not end within 10s")
	})
}

func TestCutoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c Cutoff
		ctx, cancel := c.Context(t.Context())
		defer cancel()
		c.After(time.Second)()
		time.Sleep(2 * time.Second)
		synctest.Wait()
		assert.NoError(t, ctx.Err(), "all work had ended in time")
		c.After(time.Second)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		assert.ErrorIs(t, ctx.Err(), context.Canceled)
		late, cancel := c.Context(t.Context())
		defer cancel()
		synctest.Wait()
		assert.Error(t, late.Err())
	})
}
