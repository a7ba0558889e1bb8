// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package alertmanagerexporter

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func newTable(limit int) *table {
	return &table{entries: map[string]*entry{}, limit: limit, resend: time.Minute, stale: time.Hour}
}

// state returns an update of an incident some minutes after noon.
func state(id string, minutes int, closed bool) update {
	u := update{ID: id, Updated: noon.Add(time.Duration(minutes) * time.Minute), Closed: closed, Alert: alert{Labels: map[string]string{"incident_id": id}, StartsAt: noon}}
	if closed {
		u.Alert.EndsAt = u.Updated
	}
	return u
}

func TestOlderUpdateIsSkipped(t *testing.T) {
	tb := newTable(10)
	put := func(u update) bool { newest, _ := tb.put(u, noon); return newest }
	assert.True(t, put(state("a", 2, true)))
	assert.False(t, put(state("a", 1, false)), "an open state that arrives late does not fire again")
	assert.True(t, put(state("a", 2, true)), "a retry is sent again")
	assert.True(t, put(state("a", 3, false)), "the incident was reopened")
	assert.Equal(t, 1, tb.firing())
}

func TestLabelsStay(t *testing.T) {
	tb := newTable(10)
	tb.put(state("a", 1, false), noon)
	u := state("a", 2, false)
	u.Alert.Labels = map[string]string{"incident_id": "a", "severity": "critical"}
	tb.put(u, noon)
	assert.Equal(t, map[string]string{"incident_id": "a"}, tb.entries["a"].Alert.Labels)
}

func TestEndOfAnAlert(t *testing.T) {
	now := noon.Add(10 * time.Minute)
	for name, tt := range map[string]struct {
		update       update
		starts, ends time.Time
	}{
		"open: expires after four intervals":       {state("a", 1, false), noon, now.Add(4 * time.Minute)},
		"closed: ended then":                       {state("a", 5, true), noon, noon.Add(5 * time.Minute)},
		"closed by a clock that is ahead: not yet": {state("a", 15, true), noon, now},
		"opened by a clock that is ahead": {
			update{ID: "a", Closed: true, Alert: alert{StartsAt: now.Add(time.Hour), EndsAt: now.Add(2 * time.Hour)}}, now, now,
		},
	} {
		t.Run(name, func(t *testing.T) {
			tb := newTable(10)
			tb.put(tt.update, now)
			a := tb.alerts(now, []string{"a", "a"})
			assert.Len(t, a, 1)
			assert.Equal(t, tt.starts, a[0].StartsAt)
			assert.Equal(t, tt.ends, a[0].EndsAt)
		})
	}
}

func TestTableIsBounded(t *testing.T) {
	tb := newTable(3)
	at := func(s int) time.Time { return noon.Add(time.Duration(s) * time.Second) }
	tb.put(state("a", 0, false), at(1))
	tb.put(state("b", 0, true), at(2))
	tb.put(state("c", 0, false), at(3))
	_, evicted := tb.put(state("a", 1, false), at(4))
	assert.Zero(t, evicted, "an update needs no room")
	_, evicted = tb.put(state("d", 0, false), at(5))
	assert.Equal(t, 1, evicted)
	assert.NotContains(t, tb.entries, "b", "a closed incident goes first")
	tb.put(state("e", 0, false), at(6))
	assert.NotContains(t, tb.entries, "c", "then the one without an update for the longest time")
	assert.Len(t, tb.entries, 3)
}

func TestTableExpires(t *testing.T) {
	tb := newTable(10)
	tb.put(state("open", 0, false), noon)
	tb.put(state("closed", 0, true), noon)
	tb.put(state("closed", 0, true), noon.Add(10*time.Minute))
	assert.Zero(t, tb.expire(noon.Add(resolvedFor)))
	assert.Len(t, tb.entries, 2)
	assert.Zero(t, tb.expire(noon.Add(resolvedFor+1)), "a repetition does not keep a closed incident")
	assert.Len(t, tb.entries, 1)
	assert.Equal(t, 1, tb.expire(noon.Add(time.Hour+1)), "an open incident without updates")
	assert.Empty(t, tb.entries)
}
