// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"cmp"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/auspex-otel/auspex/internal/topology"
)

const (
	// evidenceSeries is the number of series of a service that count as evidence. More than
	// one, so that a single series does not decide; few, so that a service with many series is
	// not preferred.
	evidenceSeries = 3
	// changeNats is the evidence of a change shortly before, in nats. Most faults follow a change.
	changeNats = 3
	// The reported first suspect stays first until another one leads by clearly nats. The
	// cause is undetermined while the first leads the next by less than unclear nats.
	clearly, unclear = 3.0, 1.0
	// maxIncidentTraces bounds the traces that an incident names.
	maxIncidentTraces = 10
)

// Incidents lists incidents, latest opened first: those in the given state, or all if state is "".
func (t *Tracker) Incidents(state State) []Incident {
	out := []Incident{}
	for _, r := range t.byID {
		if (state == "" || r.State == state) && !r.Minor {
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
	if r == nil || r.Minor {
		return Incident{}, false
	}
	return t.told(r), true
}

// OpenBy returns the number of open anomalies by service.
func (t *Tracker) OpenBy() map[string]int {
	n := map[string]int{}
	for _, f := range t.followed {
		if f.Anomaly.State == StateOpen {
			n[f.Anomaly.Service]++
		}
	}
	return n
}

// Load describes the open incidents of a service: their number, and the time since which there has been one.
type Load struct {
	Open  int
	Since time.Time
}

// IncidentsBy returns the open incidents by service, and their total number.
func (t *Tracker) IncidentsBy() (by map[string]Load, total int) {
	by = map[string]Load{}
	for _, r := range t.byID {
		if r.State != StateOpen || r.Minor {
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
		if r.State == StateOpen && r.Opened.After(after) && !r.Minor {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// OpenedAt returns the time at which an incident opened, or the zero time if it is unknown.
func (t *Tracker) OpenedAt(id string) time.Time {
	if r := t.byID[id]; r != nil {
		return r.Opened
	}
	return time.Time{}
}

// told returns an incident for reporting, with copies of its anomalies. The view of an open one is computed; that of a closed one is final.
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

// lead returns an incident for reporting. If it is open and its first suspect has changed, lead adds that to its history.
func (t *Tracker) lead(r *record) Incident {
	v := t.told(r)
	if r.State != StateOpen || v.Suspects[0].Name == r.Leader {
		return v
	}
	what := "first suspect: " + v.Suspects[0].Name
	if r.Leader != "" {
		what += " instead of " + r.Leader
	}
	r.Leader = v.Suspects[0].Name
	r.note(r.Updated, what)
	v.History = r.History
	return v
}

// view computes the view of an incident from its anomalies.
func (t *Tracker) view(r *record, v *Incident) {
	v.Count, v.Services, v.TraceIDs = len(r.Members)+r.Unlisted, r.services(), nil
	by, nodes := t.evidence(r)
	at := shows(nodes, t.graph)
	v.Symptom = by[at].Evidence
	v.Suspects = make([]Suspect, 0, len(nodes))
	below := t.graph.distances(at)
	ranked := Rank(nodes, t.graph)
	v.Undetermined = len(ranked) > 1 && ranked[0].Total-ranked[1].Total < unclear
	keep(ranked, r.Leader)
	for _, n := range ranked {
		v.Suspects = append(v.Suspects, *by[n.Service])
		s := &v.Suspects[len(v.Suspects)-1]
		s.Surprise, s.Hops = n.Left, -1
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

// keep moves the previous first suspect to the front, unless another clearly leads.
func keep(ranked []Ranked, leader string) {
	i := slices.IndexFunc(ranked, func(n Ranked) bool { return n.Service == leader })
	if i > 0 && ranked[0].Total-ranked[i].Total < clearly {
		kept := ranked[i]
		copy(ranked[1:i+1], ranked[:i])
		ranked[0] = kept
	}
}

// evidence collects the evidence against each party of the incident.
func (t *Tracker) evidence(r *record) (by map[string]*Suspect, nodes []Node) {
	members, kinds := map[string][]*Anomaly{}, map[string]PartyKind{}
	for _, a := range r.Members {
		p := t.party(a)
		members[p.Name] = append(members[p.Name], a)
		if kinds[p.Name] != Service {
			kinds[p.Name] = p.Kind
		}
	}
	for name, list := range members { // anomalies of a host without saturation explain nothing elsewhere
		if kinds[name] == Host && len(members) > 1 && !slices.ContainsFunc(list, (*Anomaly).saturated) {
			delete(members, name)
		}
	}
	by = map[string]*Suspect{}
	for name, list := range members {
		s, n := suspect(Party{kinds[name], name}, list)
		if s.Changes = t.Changes.Before(name, s.Since); len(s.Changes) > 0 {
			n.Trouble += changeNats
		}
		by[name] = s
		nodes = append(nodes, n)
	}
	for _, c := range r.Causes {
		i := slices.IndexFunc(nodes, func(n Node) bool { return n.Service == c.Service })
		if i < 0 {
			i = len(nodes)
			by[c.Service] = &Suspect{
				Service: c.Service, Party: Party{t.graph.kind(c.Service), c.Service}, Since: c.Since, Changes: t.Changes.Before(c.Service, c.Since),
			}
			nodes = append(nodes, Node{Service: c.Service, Since: c.Since})
		}
		by[c.Service].Causes = append(by[c.Service].Causes, c)
		nodes[i].Beside += c.Surprise
		nodes[i].Gone = nodes[i].Gone || c.Gone
	}
	slices.SortFunc(nodes, func(a, b Node) int { return strings.Compare(a.Service, b.Service) })
	return by, nodes
}

// party returns the party that an anomaly is evidence against: the peer of client spans
// that are slow or fail, if it sends no telemetry itself; otherwise the service or host.
func (t *Tracker) party(a *Anomaly) Party {
	switch {
	case a.Peer.Name != "" && a.Kind == high && !a.Counts && t.graph.kind(a.Peer.Name) != Service:
		return a.Peer
	case a.Host:
		return Party{Host, a.Service}
	default:
		return Party{Service, a.Service}
	}
}

// Kinds of anomalies that concern calls.
const high, low, silent = "high", "low", "silent"

// channel returns the channel of the node that the evidence of an anomaly adds to.
func (n *Node) channel(a *Anomaly) *float64 {
	switch {
	case a.Kind == silent, a.Counts && a.Kind == low:
		return &n.Lack
	case a.Counts && a.Kind == high:
		return &n.Load
	default:
		return &n.Trouble
	}
}

// suspect sums the evidence of a party's most surprising series. Derived series count only if there are no others.
// Series of a host count only if they show saturation or none does.
func suspect(p Party, members []*Anomaly) (*Suspect, Node) {
	for _, weak := range [...]func(*Anomaly) bool{
		func(a *Anomaly) bool { return a.Group },
		func(a *Anomaly) bool { return !a.spreads() },
	} {
		if strong := slices.DeleteFunc(slices.Clone(members), weak); len(strong) > 0 {
			members = strong
		}
	}
	slices.SortFunc(members, func(a, b *Anomaly) int {
		return cmp.Or(cmp.Compare(b.Surprise, a.Surprise), strings.Compare(a.ID, b.ID))
	})
	first, n := members[0], Node{Service: p.Name, Since: members[0].Opened, Until: members[0].Closed}
	s := &Suspect{Service: p.Name, Party: p, Evidence: *members[0]}
	for i, a := range members {
		if i < evidenceSeries {
			*n.channel(a) += topology.Soften(a.Surprise)
			if i > 0 {
				s.Also = append(s.Also, *a)
			}
			if a.Opened.Before(first.Opened) {
				first = a
			}
		}
		if a.Opened.Before(n.Since) {
			n.Since = a.Opened
		}
		if a.State == StateOpen || !n.Until.IsZero() && a.Closed.After(n.Until) {
			n.Until = a.Closed // zero if it is open
		}
	}
	s.Since, s.First = n.Since, first.Series
	return s, n
}
