// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package witness remembers in which traces what an operation did can be seen.
package witness

import "go.opentelemetry.io/collector/pdata/pcommon"

// Traces are two traces of an operation's latest calls: of the last that failed,
// and of the slowest in a window. They are not kept over a restart.
type Traces struct {
	failed, slowest pcommon.TraceID
	seconds         float64 // of the slowest in the open window
}

// See takes one call.
func (w *Traces) See(id pcommon.TraceID, seconds float64, failed bool) {
	if failed {
		w.failed = id
	}
	if seconds >= w.seconds {
		w.slowest, w.seconds = id, seconds
	}
}

// Each yields the traces, each once.
func (w *Traces) Each(yield func(pcommon.TraceID)) {
	yield(w.failed)
	if w.slowest != w.failed {
		yield(w.slowest)
	}
}

// CloseWindow lets the next call be the slowest.
func (w *Traces) CloseWindow() { w.seconds = 0 }
