// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package witness remembers traces that show the behavior of an operation.
package witness

import (
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/auspex-otel/auspex/internal/state"
)

// Traces holds two traces of an operation's latest calls: the last that failed, and the slowest in a window. Only
// complete snapshots contain them.
type Traces struct {
	failed, slowest pcommon.TraceID
	seconds         float64 // of the slowest in the open window
}

// See records one call.
func (w *Traces) See(id pcommon.TraceID, seconds float64, failed bool) {
	if failed {
		w.failed = id
	}
	if seconds >= w.seconds {
		w.slowest, w.seconds = id, seconds
	}
}

// Each yields the distinct traces.
func (w *Traces) Each(yield func(pcommon.TraceID)) {
	yield(w.failed)
	if w.slowest != w.failed {
		yield(w.slowest)
	}
}

// CloseWindow resets the slowest call.
func (w *Traces) CloseWindow() { w.seconds = 0 }

// Persist writes or reads the traces.
func (w *Traces) Persist(c *state.Codec) {
	for _, id := range [...]*pcommon.TraceID{&w.failed, &w.slowest} {
		for i := range id {
			c.Uint8(&id[i])
		}
	}
	c.Bits(&w.seconds)
}
