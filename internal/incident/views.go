// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
)

// evidenceSeries is how many of a service's series count as evidence: enough
// that one odd series does not decide, few enough that a service is not
// suspected for having many.
const evidenceSeries = 3

// Incidents lists incidents, the latest opened first: those in the given state,
// or all if state is "".
func (t *Tracker) Incidents(state State) []Incident {
	out := []Incident{}
	for _, r := range t.byID {
		if state == "" || r.State == state {
			out = append(out, t.view(r))
		}
	}
	sort.Slice(out, func(i, j int) bool {
		if !out[i].Opened.Equal(out[j].Opened) {
			return out[i].Opened.After(out[j].Opened)
		}
		return out[i].ID < out[j].ID
	})
	return out
}

// Incident returns the incident with the given id, if it is remembered.
func (t *Tracker) Incident(id string) (Incident, bool) {
	r := t.byID[id]
	if r == nil {
		return Incident{}, false
	}
	return t.view(r), true
}

// OpenBy counts the open anomalies of every service that has some.
func (t *Tracker) OpenBy() map[string]int {
	n := map[string]int{}
	for service, r := range t.byService {
		if r.OpenCount > 0 {
			n[service] = r.OpenCount
		}
	}
	return n
}

func (t *Tracker) view(r *record) Incident {
	v := r.Incident
	if v.State == StateOpen {
		v.Suspects = t.suspects(r)
	}
	v.Anomalies = make([]Anomaly, len(r.Members))
	for i, a := range r.Members {
		v.Anomalies[i] = *a
	}
	slices.SortStableFunc(v.Anomalies, func(a, b Anomaly) int { return a.Opened.Compare(b.Opened) })
	return v
}

// suspects ranks the services that were anomalous while the incident was: the
// one whose own series are least likely first.
func (t *Tracker) suspects(r *record) []Suspect {
	var out []Suspect
	for _, o := range t.byService {
		if s, ok := o.suspect(r); ok {
			out = append(out, s)
		}
	}
	sort.Slice(out, func(i, j int) bool {
		if out[i].Surprise != out[j].Surprise {
			return out[i].Surprise < out[j].Surprise
		}
		return out[i].Service < out[j].Service
	})
	return out
}

// suspect sums the surprise of the service's least likely series, of those
// anomalies that were open in the time of the incident of. ok is false if there is none.
func (r *record) suspect(of *record) (s Suspect, ok bool) {
	members := make([]*Anomaly, 0, len(r.Members))
	for _, a := range r.Members {
		if r == of || !a.Updated.Before(of.Opened) {
			members = append(members, a)
		}
	}
	if len(members) == 0 {
		return s, false
	}
	s = Suspect{Service: r.Service, Since: members[0].Opened}
	slices.SortStableFunc(members, func(a, b *Anomaly) int {
		switch {
		case a.Surprise < b.Surprise:
			return -1
		case a.Surprise > b.Surprise:
			return 1
		}
		return strings.Compare(a.ID, b.ID)
	})
	s.Evidence = *members[0]
	for i, a := range members {
		if i < evidenceSeries {
			s.Surprise += a.Surprise
		}
		if a.Opened.Before(s.Since) {
			s.Since = a.Opened
		}
	}
	return s, true
}

// saved is the tracker's state as it is written.
type saved struct {
	Followed        map[uint64]*followed
	Incidents       []*record
	Closed          []string
	Opened, Refused uint64
}

// MarshalJSON returns the whole state.
func (t *Tracker) MarshalJSON() ([]byte, error) {
	s := saved{Followed: t.followed, Closed: t.closed, Opened: t.Opened, Refused: t.Refused}
	for _, r := range t.byID {
		s.Incidents = append(s.Incidents, r)
	}
	sort.Slice(s.Incidents, func(i, j int) bool { return s.Incidents[i].ID < s.Incidents[j].ID })
	return json.Marshal(s)
}

// UnmarshalJSON restores a state that MarshalJSON returned. It returns an error if the state contradicts itself.
func (t *Tracker) UnmarshalJSON(b []byte) error {
	var s saved
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("incidents: %w", err)
	}
	n := NewTracker()
	n.closed, n.Opened, n.Refused = s.Closed, s.Opened, s.Refused
	anomalies := map[string]*Anomaly{}
	for _, r := range s.Incidents {
		if r == nil || slices.Contains(r.Members, nil) {
			return errors.New("incidents: an incident or a member is missing")
		}
		n.byID[r.ID] = r
		if r.Live > 0 {
			n.byService[r.Service] = r
		}
		for _, a := range r.Members {
			anomalies[a.ID] = a
		}
	}
	for id, f := range s.Followed {
		if f == nil || f.Anomaly == nil || n.byID[f.Anomaly.Incident] == nil {
			return fmt.Errorf("incidents: series %016x has no incident", id)
		}
		if a := anomalies[f.Anomaly.ID]; a != nil {
			f.Anomaly = a // one copy, shared by the series and its incident
		}
		n.followed[id] = f
	}
	for _, id := range n.closed {
		if n.byID[id] == nil {
			return fmt.Errorf("incidents: closed incident %s is missing", id)
		}
	}
	*t = *n
	return nil
}
