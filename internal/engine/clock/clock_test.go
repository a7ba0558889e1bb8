// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package clock

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func at(d time.Duration) int64 { return noon.Add(d).UnixNano() }

func TestTimestampAheadOfTheTicksMovesNothing(t *testing.T) {
	var m Mark
	assert.Equal(t, Ahead, m.Admit(at(Tolerance+1), noon), "the first one, too")
	assert.Zero(t, m.Time())
	assert.Equal(t, Timely, m.Admit(at(Tolerance), noon))
	assert.Equal(t, at(Tolerance), m.Time())
}

func TestOldTimestampMovesNothingWhileOthersAreTimely(t *testing.T) {
	var m Mark
	m.Admit(at(0), noon)
	for i := range 10_000 {
		now := noon.Add(time.Duration(i) * time.Second)
		assert.Equal(t, Timely, m.Admit(now.UnixNano(), now))
		assert.Equal(t, Behind, m.Admit(at(-time.Hour), now))
		assert.Equal(t, now.UnixNano(), m.Time())
	}
	now := noon.Add(10_000 * time.Second)
	late := now.Add(-Tolerance).UnixNano()
	assert.Equal(t, Timely, m.Admit(late, now), "a little late")
	assert.Greater(t, m.Time(), late)
}

func TestMarkGoesBackWhereNothingIsTimely(t *testing.T) {
	m := At(at(0), noon)
	assert.Equal(t, Behind, m.Admit(at(-time.Hour), noon.Add(quiet-1)))
	assert.Equal(t, Timely, m.Admit(at(-time.Hour), noon.Add(quiet)))
	assert.Equal(t, at(-time.Hour), m.Time())
}

func TestMarkGoesBackWithTheClockOfTicks(t *testing.T) {
	m := At(at(0), noon)
	back := noon.Add(-time.Hour)
	assert.Equal(t, Timely, m.Admit(back.UnixNano(), back))
	assert.Equal(t, back.UnixNano(), m.Time())
}

func TestLedgerReportsASourceOnce(t *testing.T) {
	var l Ledger
	assert.True(t, l.Note(Ahead, 1))
	assert.False(t, l.Note(Ahead, 1))
	assert.True(t, l.Note(Ahead, 2))
	assert.True(t, l.Note(Behind, 1), "another kind")
	assert.Equal(t, map[string]uint64{"ahead": 3, "behind": 1}, l.Counts())
	for i := range uint64(2 * maxTold) {
		l.Note(Ahead, i)
	}
	assert.Len(t, l.told[Ahead], maxTold)
}
