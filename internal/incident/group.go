// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
)

const (
	// joinWithin is how long after a service of an incident was strange what becomes
	// strange near it belongs to the incident, in event time; joinCadences is the same
	// in points, for series that come seldom. It is the hold-off of a closed one, too.
	joinWithin   = 3 * time.Minute
	joinCadences = 3
	// settled is how long after its last anomaly closed an incident closes, so that
	// one that comes and goes is one.
	settled = 2 * time.Minute
	// maxServices bounds the services of an incident.
	maxServices = 1000
)

// record is an incident with the anomalies that it was told of.
type record struct {
	Incident  // the Suspects and the rest of the view only once closed; Anomalies never
	Members   []*Anomaly
	Unlisted  int // anomalies beyond maxListed
	OpenCount int
	Live      int       // members that are followed, open or in hold-off
	Last      time.Time // until when one of them is known to have been open
	Told      time.Time // the Updated of the latest news
	Causes    []Cause
	// Until says up to which event time, in nanoseconds, what happens near a service belongs to the incident.
	Until map[string]int64
}

// join finds or makes the incident of an anomaly that opens. Where it belongs to
// several they are one: the oldest stays, the others become part of it.
func (t *Tracker) join(a *Anomaly, p Point) *record {
	var found []*record
	near := t.graph.near(a.Service)
	for _, r := range t.byID {
		if r.MergedInto == "" && r.takes(p.Time, near) {
			found = append(found, r)
		}
	}
	if len(found) == 0 {
		r := &record{
			Incident: Incident{ID: makeID("incident "+a.Service+" "+a.ID, p.Time), Service: a.Service, Opened: a.Opened},
			Until:    map[string]int64{},
		}
		t.byID[r.ID] = r
		r.add(a)
		return r
	}
	slices.SortFunc(found, func(a, b *record) int { return cmp.Or(a.Opened.Compare(b.Opened), strings.Compare(a.ID, b.ID)) })
	r := found[0]
	for _, other := range found[1:] {
		t.merge(r, other, a.Opened)
	}
	r.add(a)
	if a.Opened.Before(r.Opened) {
		r.Opened = a.Opened // sources lag behind each other
	}
	return r
}

// takes tells whether what opens at a time, near some services, belongs to the incident.
func (r *record) takes(at int64, near func(service string) bool) bool {
	if r.Opened.UnixNano()-at > int64(joinWithin) {
		return false
	}
	for service, until := range r.Until {
		if at <= until && near(service) {
			return true
		}
	}
	return false
}

// lasts notes that an anomaly of the incident was open at a time.
func (r *record) lasts(at time.Time) {
	if at.After(r.Last) {
		r.Last = at
	}
	if at.After(r.Updated) {
		r.Updated = at
	}
}

// see notes that a service of the incident was strange.
func (r *record) see(service string, p Point) {
	if _, ok := r.Until[service]; ok || len(r.Until) < maxServices {
		r.Until[service] = max(r.Until[service], p.Time+max(int64(joinWithin), joinCadences*p.Cadence))
	}
}

func (r *record) add(a *Anomaly) {
	a.Incident = r.ID
	if len(r.Members) < maxListed {
		r.Members = append(r.Members, a)
	} else {
		r.Unlisted++
	}
}

// opened notes that an anomaly of the incident opened, or opened again.
func (t *Tracker) opened(r *record) {
	r.OpenCount++
	r.State, r.Closed, r.Suspects = StateOpen, time.Time{}, nil
	if i := slices.Index(t.closed, r.ID); i >= 0 {
		t.closed = slices.Delete(t.closed, i, i+1)
	}
}

// merge makes an incident a part of another one.
func (t *Tracker) merge(into, r *record, at time.Time) {
	live := r.Live > 0
	t.view(r, &r.Incident)
	r.MergedInto, r.State, r.Closed = into.ID, StateClosed, at
	if at.After(r.Updated) {
		r.Updated = at
	}
	for _, f := range t.followed { // also those that are not listed
		if f.Anomaly.Incident == r.ID {
			f.Anomaly.Incident = into.ID
			t.newAnomalies[f.Anomaly.ID] = f.Anomaly
		}
	}
	for _, a := range r.Members {
		into.add(a)
		t.newAnomalies[a.ID] = a
	}
	into.Unlisted += r.Unlisted
	into.OpenCount += r.OpenCount
	into.Live += r.Live
	into.lasts(r.Last)
	into.MaxScore = max(into.MaxScore, r.MaxScore)
	for service, until := range r.Until {
		if _, ok := into.Until[service]; ok || len(into.Until) < maxServices {
			into.Until[service] = max(into.Until[service], until)
		}
	}
	r.Members, r.Until, r.Unlisted, r.OpenCount, r.Live = nil, nil, 0, 0, 0
	t.newIncidents[r.ID] = r
	if live {
		t.archive(r)
	}
}

// settle closes an incident whose anomalies have all been closed for a while.
func (t *Tracker) settle(r *record, now int64) {
	if r.State == StateOpen && r.OpenCount == 0 && now-r.Last.UnixNano() >= int64(settled) {
		t.closeIncident(r)
	}
}

func (t *Tracker) closeIncident(r *record) {
	t.view(r, &r.Incident)
	r.State, r.Closed = StateClosed, r.Last
	t.newIncidents[r.ID] = r
}

// release notes that an anomaly of the incident is no longer followed.
func (t *Tracker) release(r *record) {
	if r.Live--; r.Live > 0 {
		return
	}
	if r.State == StateOpen {
		t.closeIncident(r)
	}
	t.archive(r)
}

// archive puts an incident that is no longer live where the oldest go.
func (t *Tracker) archive(r *record) {
	t.closed = append(t.closed, r.ID)
	if len(t.closed) > maxClosed {
		delete(t.byID, t.closed[0])
		t.closed = t.closed[1:]
	}
}

// services are those of the incident's anomalies, in the order of their names.
func (r *record) services() []string { return slices.Sorted(maps.Keys(r.Until)) }
