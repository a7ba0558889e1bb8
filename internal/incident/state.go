// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sort"
)

// saved is the tracker's state as it is written.
type saved struct {
	Followed        map[uint64]*followed
	Incidents       []*record
	Closed          []string
	Changes         map[string]*changed
	Opened, Refused uint64
}

// MarshalJSON returns the whole state, but for the graph.
func (t *Tracker) MarshalJSON() ([]byte, error) {
	s := saved{Followed: t.followed, Closed: t.closed, Changes: t.Changes.services, Opened: t.Opened, Refused: t.Refused}
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
	n.closed, n.graph, n.Changes, n.Opened, n.Refused = s.Closed, t.graph, Changes{s.Changes}, s.Opened, s.Refused
	if err := n.Changes.check(); err != nil {
		return err
	}
	anomalies := map[string]*Anomaly{}
	for _, r := range s.Incidents {
		if err := r.check(); err != nil {
			return err
		}
		n.byID[r.ID] = r
		for _, a := range r.Members {
			anomalies[a.ID] = a
		}
	}
	for id, f := range s.Followed {
		if f == nil || f.Anomaly == nil || n.byID[f.Anomaly.Incident] == nil || n.byID[f.Anomaly.Incident].Until == nil {
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

// check returns an error if a restored incident lacks something.
func (r *record) check() error {
	if r == nil || slices.Contains(r.Members, nil) {
		return errors.New("incidents: an incident or a member is missing")
	}
	if r.MergedInto == "" && (len(r.Members) == 0 || r.Until == nil) {
		return fmt.Errorf("incidents: incident %s has no anomalies", r.ID)
	}
	return nil
}
