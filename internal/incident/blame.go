// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package incident

import "time"

// maxCauses bounds the causes of one incident.
const maxCauses = 20

// Cause is evidence against a service in addition to its anomalies: a behavior change that
// no dependency of the service explains. It may be the fault without being an anomaly.
type Cause struct {
	Service string `json:"service"`
	// Surprise is as of a Suspect, in nats.
	Surprise float64 `json:"surprise"`
	// What describes the behavior change in words.
	What  string    `json:"what"`
	Since time.Time `json:"since"`
	// Gone reports that the service has stopped sending telemetry.
	Gone bool `json:"gone,omitempty"`
}

// Blame sets the causes of an open incident as of an event time, and replaces the earlier
// ones. It keeps those of services that concern the incident, at most maxCauses.
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

// concerns reports whether a service is part of the incident, or near a member, or a dependency of one.
func (t *Tracker) concerns(r *record, service string) bool {
	if _, ok := r.Until[service]; ok {
		return true
	}
	near := t.graph.near(service)
	for member, until := range r.Until {
		if until.Near == 0 {
			continue // the anomalies of this member do not spread to other services
		}
		if near(member) || t.graph.below(member)[service] {
			return true
		}
	}
	return false
}
