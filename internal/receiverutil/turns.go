// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package receiverutil

import (
	"bytes"
	"io"
	"runtime"
	"time"
)

const (
	// largeBody is the length from which on the chunks of a body take turns, in bytes.
	largeBody = 1 << 20
	// turnPatience bounds how long a chunk waits for its turn. The chunk before it may
	// belong to a client that sends slowly.
	turnPatience = 10 * time.Millisecond
)

// turns limits how many large bodies are read, and decompressed, at the same moment: on
// all processors but one. Otherwise a few large requests keep all of them busy, and
// small requests wait for several time slices of the scheduler.
type turns chan struct{}

func newTurns() turns { return make(turns, max(1, runtime.GOMAXPROCS(0)-1)) }

// readChunk appends up to memoryStep bytes of a body to a buffer, and returns their
// number. Its errors are those of io.CopyN.
func (t turns) readChunk(to *bytes.Buffer, body io.Reader) (int64, error) {
	if to.Len() >= largeBody && t.take() {
		defer func() { <-t }()
	}
	return io.CopyN(to, body, memoryStep)
}

// take waits for a turn, and reports whether there is one to give back.
func (t turns) take() bool {
	select {
	case t <- struct{}{}:
		return true
	default:
	}
	wait := time.NewTimer(turnPatience)
	defer wait.Stop()
	select {
	case t <- struct{}{}:
		return true
	case <-wait.C:
		return false
	}
}
