// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package alertmanagerexporter

import (
	"maps"
	"slices"
	"time"
)

const (
	// maxAlerts bounds the incidents in the table.
	maxAlerts = 1000
	// resolvedFor is the time for which a resolved alert is sent again, so that an
	// Alertmanager that was unreachable gets it. Prometheus has the same value.
	resolvedFor = 15 * time.Minute
	// lifetimes is the number of resend intervals until an alert that is not sent again
	// resolves. Prometheus has the same value.
	lifetimes = 4
)

// entry is the latest update of an incident.
type entry struct {
	update
	Seen time.Time `json:"seen"` // wall-clock time of the update's arrival
}

// table holds the alerts that are sent again. It is not safe for concurrent use.
type table struct {
	entries map[string]*entry
	limit   int
	resend  time.Duration
	stale   time.Duration
}

// put adds an update, and returns false if the table has a newer one. The labels stay
// those of the first update. evicted is 1 if another incident had to go.
func (t *table) put(u update, now time.Time) (newest bool, evicted int) {
	old, known := t.entries[u.ID]
	if known && u.Updated.Before(old.Updated) {
		return false, 0
	}
	if known {
		u.Alert.Labels = old.Alert.Labels
	} else if len(t.entries) >= t.limit {
		delete(t.entries, t.leastUseful())
		evicted = 1
	}
	seen := now
	if known && old.Closed && u.Closed {
		seen = old.Seen // A repetition does not prolong resolvedFor.
	}
	t.entries[u.ID] = &entry{update: u, Seen: seen}
	return true, evicted
}

// leastUseful returns the id of a closed incident if there is one, else of the incident
// whose last update is the oldest.
func (t *table) leastUseful() string {
	var worst *entry
	for _, id := range slices.Sorted(maps.Keys(t.entries)) {
		e := t.entries[id]
		if worst == nil || (e.Closed && !worst.Closed) || (e.Closed == worst.Closed && e.Seen.Before(worst.Seen)) {
			worst = e
		}
	}
	return worst.ID
}

// expire removes incidents that closed some time ago, and open ones without an update. It
// returns the number of the latter.
func (t *table) expire(now time.Time) (stale int) {
	for id, e := range t.entries {
		switch age := now.Sub(e.Seen); {
		case e.Closed && age > resolvedFor:
			delete(t.entries, id)
		case !e.Closed && age > t.stale:
			delete(t.entries, id)
			stale++
		}
	}
	return stale
}

// firing returns the number of alerts of open incidents.
func (t *table) firing() (n int) {
	for _, e := range t.entries {
		if !e.Closed {
			n++
		}
	}
	return n
}

// alerts returns the alerts of the given incidents as they are to be sent now, in order of ids.
func (t *table) alerts(now time.Time, ids []string) []alert {
	slices.Sort(ids)
	list := make([]alert, 0, len(ids))
	for _, id := range slices.Compact(ids) {
		list = append(list, t.entries[id].at(now, lifetimes*t.resend))
	}
	return list
}

// at returns the alert as it is to be sent now. That of an open incident expires after
// lifetime. That of a closed one ended when the incident closed, and not in the future,
// because Alertmanager would take it for firing.
func (e *entry) at(now time.Time, lifetime time.Duration) alert {
	a := e.Alert
	if !e.Closed {
		a.EndsAt = now.Add(lifetime)
	} else if a.EndsAt.After(now) {
		a.EndsAt = now
	}
	if a.StartsAt.After(a.EndsAt) {
		a.StartsAt = a.EndsAt // Alertmanager rejects an end before the start.
	}
	return a
}
