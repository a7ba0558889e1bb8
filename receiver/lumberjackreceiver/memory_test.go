// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package lumberjackreceiver

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	lj "github.com/auspex-otel/auspex/internal/wire/lumberjack/lumberjacktest"
)

const mebibyte = 1 << 20

// An event above a limit becomes a dead letter, and the others of its window are delivered.
func TestEventAboveALimitBecomesADeadLetter(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	next := &pipeline{}
	r := start(t, next, func(c *Config) {
		c.DeadLetter.Directory = dir
		c.Limits.ItemBytes, c.Limits.Values, c.Limits.Depth = 1000, 10, 5
	})
	p := r.dial()
	p.send(lj.Batch(said(0), `{"a":[1,1,1,1,1,1,1,1,1]}`, `{"a":[[[[[]]]]]}`, `{"message":"`+strings.Repeat("x", 2000)+`"}`, said(1)))
	p.acks("2:5")
	assert.Equal(t, bodies(0, 2), next.accepted())
	dead := dead(t, dir)
	require.Len(t, dead, 3)
	for i, want := range []string{"has 11 values, limits::values is 10", "is nested 6 levels deep, limits::depth is 5", "has 2014 bytes, limits::item_bytes is 1000"} {
		assert.Contains(t, dead[i].Reason, want)
	}
	assert.Len(t, dead[2].Payload, 1000)
	for _, reason := range []string{letterDepth, letterEventSize, letterValues} {
		r.counts(1, "lumberjack_dead_letters", reason)
	}
	r.counts(5, "lumberjack_acknowledged_events")
}

// A client probes the receiver with an empty window.
func TestEmptyWindowIsAcknowledged(t *testing.T) {
	t.Parallel()
	r := start(t, &pipeline{}, nil)
	p := r.dial()
	p.send(lj.Window('2', 0))
	p.acks("2:0")
	p.send(lj.Window('1', 0), lj.Window('2', 0), lj.Compressed('2'), lj.Batch(said(0)))
	p.acks("1:0", "2:0", "2:1")
}

// unfinished returns a compressed frame with an event without its last byte.
func unfinished(t *testing.T, size int) []byte {
	t.Helper()
	event := lj.JSON('2', 1, `{"message":"`+strings.Repeat("a", size)+`"}`)
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	_, err := z.Write(event[:len(event)-1])
	require.NoError(t, err)
	require.NoError(t, z.Flush())
	frame := binary.BigEndian.AppendUint32([]byte("2C"), uint32(b.Len()+1000))
	return lj.Join(lj.Window('2', 1), frame, b.Bytes())
}

// heap returns the size of the heap in use, in bytes.
func heap() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// 100 peers that each hold an unfinished event of 10 MiB stay within the memory of the receiver,
// and a well-behaved peer is served at the same time.
func TestUnfinishedWindowsStayWithinMemory(t *testing.T) {
	next := &pipeline{}
	r := start(t, next, nil)
	frame := unfinished(t, 10*mebibyte-100)
	require.Less(t, len(frame), 20<<10)
	before := heap()
	for range 100 {
		r.dial().send(frame)
	}
	assert.Eventually(t, func() bool { return r.count("lumberjack_errors", reasonMemory) > 50 }, 6*patience, 20*time.Millisecond)
	// A growing buffer exists twice for a moment.
	assert.Eventually(t, func() bool { return heap()-before < r.cfg.Limits.MemoryBytes*12/10 }, patience, 20*time.Millisecond)
	good := r.dial()
	good.send(lj.Batch(said(0)))
	good.acks("2:1")
	assert.Equal(t, bodies(0, 1), next.accepted())
}

// Events whose chunk does not fit into the free memory are delivered in smaller chunks.
func TestPartsShrinkWithMemory(t *testing.T) {
	t.Parallel()
	next := &pipeline{}
	r := start(t, next, func(c *Config) {
		c.Limits.ItemBytes, c.Limits.Values, c.Limits.MemoryBytes = 1000, 100, 200_000
	})
	p := r.dial()
	var events []string
	for i := range 500 {
		events = append(events, said(i))
	}
	p.send(lj.Batch(events...))
	for p.ack() != "2:500" {
	}
	assert.Equal(t, bodies(0, 500), next.accepted())
	next.mu.Lock()
	defer next.mu.Unlock()
	assert.Greater(t, next.calls, 2)
}
