// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package backtest

import "time"

// Window is a period of time, including both ends.
type Window struct{ Start, End time.Time }

// Has reports whether a time is in the window.
func (w Window) Has(t time.Time) bool { return !t.Before(w.Start) && !t.After(w.End) }
