// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package ensemble

// Facts describes the learned state of a model for users.
type Facts struct {
	// Season reports whether the daily season is known and part of the prediction.
	Season bool
	// Away is the event time, in nanoseconds, since which the series has been away from
	// its level; 0 while it is not. Meanwhile the model does not learn.
	Away int64
}

// Facts returns facts about the model's state.
func (m *Model) Facts() Facts {
	f := Facts{Season: m.mature}
	if m.hold != nil {
		f.Away = m.hold.since
	}
	return f
}
