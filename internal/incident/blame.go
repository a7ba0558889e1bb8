// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package incident

import "time"

// maxCauses bounds what is remembered of what speaks against services beside their anomalies.
const maxCauses = 20

// Cause is what speaks against a service beside its anomalies, and that nothing it
// depends on explains: a change of behavior is none, and yet may be the fault.
type Cause struct {
	Service string `json:"service"`
	// Surprise is as of a Suspect, in nats.
	Surprise float64 `json:"surprise"`
	// What says in words what the service does otherwise.
	What  string    `json:"what"`
	Since time.Time `json:"since"`
	// Gone tells that nothing comes from the service any more.
	Gone bool `json:"gone,omitempty"`
}

// Blame tells what speaks against services in the time of an incident, as of a
// time. It replaces what was told before.
func (t *Tracker) Blame(id string, at time.Time, causes []Cause) {
	r := t.byID[id]
	if r == nil || r.State != StateOpen {
		return
	}
	r.Causes = nil
	for _, c := range causes {
		if len(r.Causes) < maxCauses && t.concerns(r, c.Service) {
			r.Causes = append(r.Causes, c)
		}
	}
	v := Incident{}
	if t.view(r, &v); v.Suspects[0].Name != r.Leader {
		if at.After(r.Updated) {
			r.Updated = at
		}
		t.newIncidents[r.ID] = r
	}
}

// concerns tells whether a service is of the incident, or something near or below is.
func (t *Tracker) concerns(r *record, service string) bool {
	if _, ok := r.Until[service]; ok {
		return true
	}
	near := t.graph.near(service)
	for member, until := range r.Until {
		if until.Near == 0 {
			continue // what is anomalous in a host there has nothing to do with others
		}
		if near(member) || t.graph.below(member)[service] {
			return true
		}
	}
	return false
}
