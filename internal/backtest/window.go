// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package backtest

import "time"

// Window is a span of time, both ends included.
type Window struct{ Start, End time.Time }

// Has reports whether a time lies in the window.
func (w Window) Has(t time.Time) bool { return !t.Before(w.Start) && !t.After(w.End) }
