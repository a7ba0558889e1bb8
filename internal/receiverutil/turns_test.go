// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package receiverutil

import (
	"bytes"
	"io"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// counting is an endless body that counts the concurrent reads of all bodies.
type counting struct{ reading, most *atomic.Int32 }

func (c counting) Read(p []byte) (int, error) {
	n := c.reading.Add(1)
	defer c.reading.Add(-1)
	for {
		most := c.most.Load()
		if n <= most || c.most.CompareAndSwap(most, n) {
			break
		}
	}
	time.Sleep(10 * time.Microsecond) // gives others the opportunity to read
	return len(p), nil
}

func TestLargeBodiesTakeTurns(t *testing.T) { synctest.Test(t, largeBodiesTakeTurns) }

func largeBodiesTakeTurns(t *testing.T) {
	m := NewMemory(1 << 30)
	var reading, most atomic.Int32
	done := make(chan error)
	const bodies, length = 8, 2 << 20
	for range bodies {
		go func() {
			r := m.Reservation()
			defer r.ReleaseAll()
			var b bytes.Buffer
			b.Write(make([]byte, largeBody))
			done <- r.ReadAll(&b, io.LimitReader(counting{&reading, &most}, length))
		}()
	}
	for range bodies {
		require.NoError(t, <-done)
	}
	assert.EqualValues(t, max(1, runtime.GOMAXPROCS(0)-1), most.Load())
}

func TestTurnDoesNotWaitForASlowClient(t *testing.T) { synctest.Test(t, turnDoesNotWait) }

func turnDoesNotWait(t *testing.T) {
	turns := newTurns()
	for range cap(turns) {
		require.True(t, turns.take())
	}
	started := time.Now()
	assert.False(t, turns.take())
	assert.Equal(t, turnPatience, time.Since(started))
	<-turns
	assert.True(t, turns.take())
}
