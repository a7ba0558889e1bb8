// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package ensemble

// Facts say what a model has learned, for users.
type Facts struct {
	// Season reports whether the daily course is known, and is part of what is expected.
	Season bool
	// Away is the event time, in nanoseconds, since which the series has been away from
	// its level; 0 while it is not. Meanwhile the model does not learn.
	Away int64
}

// Facts returns what the model has learned.
func (m *Model) Facts() Facts {
	f := Facts{Season: m.mature}
	if m.hold != nil {
		f.Away = m.hold.since
	}
	return f
}
