// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"slices"
	"strings"
	"time"

	"github.com/auspex-otel/auspex/internal/state"
)

// saved is the persisted state of a tracker: everything except unreported changes. Only a complete state contains the
// graph.
type saved struct {
	Followed        map[uint64]*followed
	Incidents       []*record // by id, ascending
	Closed          []string
	Changes         map[string]*changed
	Opened, Refused uint64
	Graph           *Graph
}

// AppendBinary appends the state.
func (t *Tracker) AppendBinary(b []byte) ([]byte, error) {
	c := state.Writer(b)
	t.State(c)
	return c.Bytes(), c.End()
}

// UnmarshalBinary restores a state that AppendBinary wrote. After an error the tracker is as it was before.
func (t *Tracker) UnmarshalBinary(b []byte) error {
	c := state.Reader(b)
	t.State(c)
	return c.End()
}

// State writes or reads the state. After an error the tracker is as it was before.
func (t *Tracker) State(c *state.Codec) {
	if c.Reading() {
		t.read(c)
		return
	}
	s := saved{Followed: t.followed, Closed: t.closed, Changes: t.Changes.services, Opened: t.Opened, Refused: t.Refused, Graph: t.graph}
	for _, r := range t.byID {
		s.Incidents = append(s.Incidents, r)
	}
	slices.SortFunc(s.Incidents, func(a, b *record) int { return strings.Compare(a.ID, b.ID) })
	s.state(c)
}

func (t *Tracker) read(c *state.Codec) {
	s := saved{Graph: t.graph}
	if s.state(c); c.End() != nil {
		return
	}
	n := NewTracker()
	n.closed, n.graph, n.Changes, n.Opened, n.Refused = s.Closed, s.Graph, Changes{s.Changes}, s.Opened, s.Refused
	c.Check(n.Changes.valid())
	anomalies := map[string]*Anomaly{}
	for _, r := range s.Incidents {
		c.Check(r.MergedInto != "" || len(r.Members) > 0 && len(r.Until) > 0)
		n.byID[r.ID] = r
		for _, a := range r.Members {
			anomalies[a.ID] = a
		}
	}
	for id, f := range s.Followed {
		r := n.byID[f.Anomaly.Incident]
		c.Check(r != nil && r.MergedInto == "")
		if a := anomalies[f.Anomaly.ID]; a != nil {
			f.Anomaly = a // the series and its incident share one copy
		}
		n.followed[id] = f
	}
	for _, id := range n.closed {
		c.Check(n.byID[id] != nil)
	}
	if c.Ok() {
		*t = *n
	}
}

// valid reports whether restored changes are not too many, and in order.
func (c *Changes) valid() bool {
	for _, s := range c.services {
		if len(s.List) > maxChanges || !slices.IsSortedFunc(s.List, func(a, b Change) int { return a.Time.Compare(b.Time) }) {
			return false
		}
		for _, known := range s.Values {
			if len(known) > maxValues {
				return false
			}
		}
	}
	return len(c.services) <= maxChanged
}

func (s *saved) state(c *state.Codec) {
	state.Map(c, &s.Followed, 8, c.Uint64, func(f **followed) {
		if c.Reading() {
			*f = &followed{Anomaly: &Anomaly{}}
		}
		(*f).state(c)
	})
	state.List(c, &s.Incidents, 4, func(r **record) {
		if c.Reading() {
			*r = &record{}
		}
		(*r).state(c)
	})
	state.List(c, &s.Closed, 4, c.String)
	state.Map(c, &s.Changes, 4, c.String, func(of **changed) {
		if c.Reading() {
			*of = &changed{}
		}
		(*of).state(c)
	})
	c.Uint64(&s.Opened)
	c.Uint64(&s.Refused)
	if c.Complete() {
		graphState(c, &s.Graph)
	}
}

// graphState writes or reads a graph, which may be nil.
func graphState(c *state.Codec, g **Graph) {
	known := *g != nil
	if c.Bool(&known); !known {
		*g = nil
		return
	}
	if c.Reading() {
		*g = NewGraph(nil, nil)
	}
	for _, m := range [...]*map[string][]string{&(*g).callees, &(*g).callers, &(*g).hosts} {
		state.Map(c, m, 8, c.String, func(names *[]string) { state.List(c, names, 4, c.String) })
	}
	state.Map(c, &(*g).namespaces, 8, c.String, c.String)
	state.Map(c, &(*g).kinds, 8, c.String, func(kind *PartyKind) { c.String((*string)(kind)) })
}

func (f *followed) state(c *state.Codec) {
	f.Anomaly.Persist(c)
	c.Int(&f.Quiet)
	c.Int64(&f.Cadence)
	c.Int64(&f.LastAnomalous)
	c.Bits(&f.Reported)
}

func (r *record) state(c *state.Codec) {
	r.Incident.Persist(c)
	state.List(c, &r.Members, 4, func(a **Anomaly) {
		if c.Reading() {
			*a = &Anomaly{}
		}
		(*a).Persist(c)
	})
	c.Int(&r.Unlisted)
	c.Int(&r.OpenCount)
	c.Int(&r.Live)
	c.Time(&r.Last)
	c.Time(&r.Told)
	c.Int64(&r.Outside)
	state.List(c, &r.Causes, 4, func(cause *Cause) { cause.state(c) })
	c.String(&r.Leader)
	c.String((*string)(&r.Why))
	c.Bool(&r.Minor)
	state.Map(c, &r.Until, 4, c.String, func(until *reach) {
		c.Int64(&until.Own)
		c.Int64(&until.Near)
	})
}

func (s *changed) state(c *state.Codec) {
	c.Time(&s.Last)
	state.Map(c, &s.Values, 4, func(k *ChangeKind) { c.String((*string)(k)) }, func(known *map[string]time.Time) {
		state.Map(c, known, 4, c.String, c.Time)
	})
	state.List(c, &s.List, 4, func(change *Change) { change.state(c) })
}

// Persist writes or reads an incident.
func (i *Incident) Persist(c *state.Codec) {
	c.String(&i.ID)
	c.String(&i.Service)
	c.String((*string)(&i.State))
	c.String(&i.MergedInto)
	c.Time(&i.Opened)
	c.Time(&i.Updated)
	c.Time(&i.Closed)
	c.String((*string)(&i.Reason))
	c.Bits(&i.MaxScore)
	c.Int(&i.Count)
	state.List(c, &i.Services, 4, c.String)
	i.Symptom.Persist(c)
	state.List(c, &i.Suspects, 4, func(s *Suspect) { s.state(c) })
	c.Bool(&i.Undetermined)
	state.List(c, &i.History, 4, func(e *Event) {
		c.Time(&e.Time)
		c.String(&e.What)
	})
	state.List(c, &i.TraceIDs, 4, c.String)
	state.List(c, &i.Anomalies, 4, func(a *Anomaly) { a.Persist(c) })
}

// Persist writes or reads an anomaly.
func (a *Anomaly) Persist(c *state.Codec) {
	c.String(&a.ID)
	c.String(&a.Incident)
	a.Subject.state(c)
	c.String((*string)(&a.State))
	c.String(&a.Kind)
	c.Time(&a.Opened)
	c.Time(&a.Updated)
	c.Time(&a.Closed)
	c.String((*string)(&a.Reason))
	c.Time(&a.SilentSince)
	c.Bits(&a.Score, &a.MaxScore, &a.Surprise, &a.Observed, &a.Expected, &a.Lower, &a.Upper)
	state.List(c, &a.TraceIDs, 4, c.String)
}

func (s *Subject) state(c *state.Codec) {
	c.String(&s.Series)
	c.String(&s.Service)
	c.String(&s.Metric)
	c.String(&s.Statistic)
	c.String(&s.Unit)
	state.Map(c, &s.Attributes, 8, c.String, c.String)
	c.Bool(&s.Group)
	c.Bool(&s.Host)
	c.String(&s.Saturates)
	c.Bool(&s.Work)
	c.Bool(&s.Counts)
	s.Peer.state(c)
}

func (p *Party) state(c *state.Codec) {
	c.String((*string)(&p.Kind))
	c.String(&p.Name)
}

func (s *Suspect) state(c *state.Codec) {
	c.String(&s.Service)
	s.Party.state(c)
	c.Bits(&s.Surprise)
	c.Time(&s.Since)
	c.Int(&s.Hops)
	s.Evidence.Persist(c)
	state.List(c, &s.Also, 4, func(a *Anomaly) { a.Persist(c) })
	c.String(&s.First)
	state.List(c, &s.Causes, 4, func(cause *Cause) { cause.state(c) })
	state.List(c, &s.Changes, 4, func(change *Change) { change.state(c) })
}

func (a *Cause) state(c *state.Codec) {
	c.String(&a.Service)
	c.Bits(&a.Surprise)
	c.String(&a.What)
	c.Time(&a.Since)
	c.Bool(&a.Gone)
}

func (h *Change) state(c *state.Codec) {
	c.String((*string)(&h.Kind))
	c.String(&h.What)
	c.String(&h.Before)
	c.Time(&h.Time)
}
