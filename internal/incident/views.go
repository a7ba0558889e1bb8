// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"cmp"
	"math"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/auspex-otel/auspex/internal/topology"
)

const (
	// evidenceSeries is how many of a service's series count as evidence: enough
	// that one odd series does not decide, few enough that a service is not
	// suspected for having many.
	evidenceSeries = 3
	// changeNats is what a change shortly before speaks against a service: most faults are of our own making.
	changeNats = 3
	// maxIncidentTraces bounds the traces that an incident names.
	maxIncidentTraces = 10
)

// Incidents lists incidents, the latest opened first: those in the given state,
// or all if state is "".
func (t *Tracker) Incidents(state State) []Incident {
	out := []Incident{}
	for _, r := range t.byID {
		if state == "" || r.State == state {
			out = append(out, t.told(r))
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
	return t.told(r), true
}

// OpenBy counts the open anomalies of every service that has some.
func (t *Tracker) OpenBy() map[string]int {
	n := map[string]int{}
	for _, f := range t.followed {
		if f.Anomaly.State == StateOpen {
			n[f.Anomaly.Service]++
		}
	}
	return n
}

// Load is the open incidents that a service is part of: how many, and since when there has been one.
type Load struct {
	Open  int
	Since time.Time
}

// IncidentsBy returns the open incidents of every service that has some, and their number in all.
func (t *Tracker) IncidentsBy() (by map[string]Load, total int) {
	by = map[string]Load{}
	for _, r := range t.byID {
		if r.State != StateOpen {
			continue
		}
		total++
		for service := range r.Until {
			l := by[service]
			if l.Open++; l.Open == 1 || r.Opened.Before(l.Since) {
				l.Since = r.Opened
			}
			by[service] = l
		}
	}
	return by, total
}

// Young lists the ids of the open incidents that opened after a time, in their order.
func (t *Tracker) Young(after time.Time) (ids []string) {
	for id, r := range t.byID {
		if r.State == StateOpen && r.Opened.After(after) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// OpenedAt is when an incident opened, the zero time if there is none.
func (t *Tracker) OpenedAt(id string) time.Time {
	if r := t.byID[id]; r != nil {
		return r.Opened
	}
	return time.Time{}
}

// told is an incident as it is told: what does not change any more once it is closed, and its anomalies.
func (t *Tracker) told(r *record) Incident {
	v := r.Incident
	if r.State == StateOpen {
		t.view(r, &v)
	}
	v.Anomalies = make([]Anomaly, len(r.Members))
	for i, a := range r.Members {
		v.Anomalies[i] = *a
	}
	slices.SortStableFunc(v.Anomalies, func(a, b Anomaly) int { return a.Opened.Compare(b.Opened) })
	return v
}

// view works out what follows from the incident's anomalies.
func (t *Tracker) view(r *record, v *Incident) {
	v.Count, v.Services, v.TraceIDs = len(r.Members)+r.Unlisted, r.services(), nil
	by, nodes := t.evidence(r)
	at := shows(nodes, t.graph)
	v.Symptom = by[at].Evidence
	v.Suspects = make([]Suspect, 0, len(nodes))
	below := t.graph.distances(at)
	for _, n := range Rank(nodes, t.graph) {
		v.Suspects = append(v.Suspects, *by[n.Service])
		s := &v.Suspects[len(v.Suspects)-1]
		s.Surprise, s.Hops = 0-max(0, n.Left), -1
		if n, ok := below[s.Service]; ok {
			s.Hops = n
		}
		for _, a := range append([]Anomaly{s.Evidence}, s.Also...) {
			for _, id := range a.TraceIDs {
				if len(v.TraceIDs) < maxIncidentTraces && !slices.Contains(v.TraceIDs, id) {
					v.TraceIDs = append(v.TraceIDs, id)
				}
			}
		}
	}
}

// evidence is what speaks against each service of the incident.
func (t *Tracker) evidence(r *record) (by map[string]*Suspect, nodes []Node) {
	members := map[string][]*Anomaly{}
	for _, a := range r.Members {
		members[a.Service] = append(members[a.Service], a)
	}
	by = map[string]*Suspect{}
	for service, list := range members {
		s, surprise := suspect(list)
		if s.Changes = t.Changes.Before(service, s.Since); len(s.Changes) > 0 {
			surprise += changeNats
		}
		by[service] = s
		nodes = append(nodes, Node{Service: service, Surprise: surprise, Since: s.Since})
	}
	for _, c := range r.Causes {
		i := slices.IndexFunc(nodes, func(n Node) bool { return n.Service == c.Service })
		if i < 0 {
			i = len(nodes)
			by[c.Service] = &Suspect{Service: c.Service, Since: c.Since, Changes: t.Changes.Before(c.Service, c.Since)}
			nodes = append(nodes, Node{Service: c.Service, Since: c.Since})
		}
		by[c.Service].Causes = append(by[c.Service].Causes, c)
		nodes[i].Beside -= c.Surprise
	}
	slices.SortFunc(nodes, func(a, b Node) int { return strings.Compare(a.Service, b.Service) })
	return by, nodes
}

// suspect sums the surprise of a service's least likely series. One that is made
// from others counts only where there is none but such.
func suspect(members []*Anomaly) (*Suspect, float64) {
	if slices.ContainsFunc(members, func(a *Anomaly) bool { return !a.Group }) {
		members = slices.DeleteFunc(members, func(a *Anomaly) bool { return a.Group })
	}
	slices.SortFunc(members, func(a, b *Anomaly) int {
		return cmp.Or(cmp.Compare(a.Surprise, b.Surprise), strings.Compare(a.ID, b.ID))
	})
	first, sum := members[0], 0.0
	s := &Suspect{Service: first.Service, Evidence: *members[0]}
	for i, a := range members {
		if i < evidenceSeries {
			sum += topology.Soften(math.Abs(a.Surprise))
			if i > 0 {
				s.Also = append(s.Also, *a)
			}
			if a.Opened.Before(first.Opened) {
				first = a
			}
		}
		if s.Since.IsZero() || a.Opened.Before(s.Since) {
			s.Since = a.Opened
		}
	}
	s.First = first.Series
	return s, sum
}
