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
	// joinWithin is the time, in event time, within which a new anomaly of a service joins
	// the latest incident of that service. joinCadences is the same in points, for series
	// with rare points.
	joinWithin   = 3 * time.Minute
	joinCadences = 3
	// spreadWithin is the same for another, related service. It is shorter, so that an incident whose fault has ended
	// does not include the next fault elsewhere.
	spreadWithin = time.Minute
	// settled is the time after the last point outside its interval at which an incident
	// closes, if all its anomalies have closed. It keeps an intermittent fault in one incident.
	settled = time.Minute
	// maxServices bounds the services of an incident.
	maxServices = 1000
	// maxHistory bounds the history of an incident.
	maxHistory = 20
)

// reach holds the event times, in nanoseconds, up to which an anomaly belongs to an incident: one of the same
// service, and one of a related service.
type reach struct{ Own, Near int64 }

// record is an incident with its anomalies.
type record struct {
	Incident  // with the Suspects and other views only once closed; without Anomalies
	Members   []*Anomaly
	Unlisted  int // anomalies beyond maxListed
	OpenCount int
	Live      int       // members that are open or in cooldown
	Last      time.Time // latest time at which one of them was open
	Told      time.Time // Updated of the latest news
	Outside   int64     // event time of the last point outside its interval
	Causes    []Cause
	// Leader is the first suspect as last reported. Why is the closing reason of the anomaly that closed last.
	Leader string
	Why    Reason
	// Minor marks a record whose anomalies are minor. It is not reported as an incident.
	Minor bool
	// Until holds the reach of each service of the incident.
	Until map[string]reach
}

// join finds or creates the incident of an anomaly that opens. If it belongs to several, they are merged into the
// oldest.
func (t *Tracker) join(a *Anomaly, p Point) *record {
	var found []*record
	near := t.graph.near(a.Service)
	if !a.spreads() {
		near = func(string) bool { return false }
	}
	for _, r := range t.byID {
		if r.MergedInto == "" && r.Minor == a.minor() && r.takes(a.Service, p.Time, near) {
			found = append(found, r)
		}
	}
	if len(found) == 0 {
		r := &record{
			Incident: Incident{ID: makeID("incident "+a.Service+" "+a.ID, p.Time), Service: a.Service, Opened: a.Opened},
			Minor:    a.minor(), Until: map[string]reach{},
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
		r.Opened = a.Opened // event times of sources differ
	}
	return r
}

// outlived reports whether the incident of a closed anomaly has closed, and a new anomaly
// of the series would join another incident that is open.
func (t *Tracker) outlived(f *followed, p Point) bool {
	a := f.Anomaly
	if t.byID[a.Incident].State != StateClosed {
		return false
	}
	for _, r := range t.byID {
		if r.State == StateOpen && r.Minor == a.minor() && r.takes(a.Service, p.Time, func(string) bool { return false }) {
			return true
		}
	}
	return false
}

// takes reports whether an anomaly of a service that opens at a time, in nanoseconds of event time, joins the incident.
func (r *record) takes(of string, at int64, near func(service string) bool) bool {
	if r.Opened.UnixNano()-at > int64(joinWithin) {
		return false
	}
	for service, until := range r.Until {
		if service == of && at <= until.Own || at <= until.Near && near(service) {
			return true
		}
	}
	return false
}

// minor reports whether an anomaly opens no incident: a host with more work than usual.
func (a *Anomaly) minor() bool { return a.Work && a.Kind == high }

// spreads reports whether an anomaly can be related to those of other services. An
// anomaly of a host can be if it shows saturation.
func (a *Anomaly) spreads() bool { return !a.Host || a.saturated() }

const (
	// A share of a resource of at least full, or a remaining share of at most scarce, is saturation.
	full, scarce = .8, .2
	// If the capacity is unknown, a value above grown times or below shrunk times the expected value is saturation.
	grown, shrunk = 1.5, .5
)

// saturated reports whether an anomaly shows that a resource is exhausted.
func (a *Anomaly) saturated() bool {
	if a.Saturates == "" || a.Kind != a.Saturates {
		return false
	}
	whole := map[string]float64{"1": 1, "s/s": 1, "%": 100}[a.Unit]
	switch low := a.Saturates == "low"; {
	case whole > 0 && low:
		return a.Observed <= scarce*whole
	case whole > 0:
		return a.Observed >= full*whole
	case low:
		return a.Observed <= shrunk*a.Expected
	default:
		return a.Observed >= grown*a.Expected
	}
}

// lasts records that an anomaly of the incident was open at a time.
func (r *record) lasts(at time.Time) {
	if at.After(r.Last) {
		r.Last = at
	}
	if at.After(r.Updated) {
		r.Updated = at
	}
}

// see records that an anomaly of the incident continues.
func (r *record) see(a *Anomaly, p Point) {
	until, known := r.Until[a.Service]
	if !known && len(r.Until) >= maxServices {
		return
	}
	until.Own = max(until.Own, p.Time+max(int64(joinWithin), joinCadences*p.Cadence))
	switch {
	case p.SilentSince != 0:
		until.Near = until.Own // no further point will extend it
	case a.spreads():
		until.Near = max(until.Near, p.Time+max(int64(spreadWithin), joinCadences*p.Cadence))
	}
	r.Until[a.Service] = until
}

func (r *record) add(a *Anomaly) {
	a.Incident = r.ID
	if len(r.Members) < maxListed {
		r.Members = append(r.Members, a)
	} else {
		r.Unlisted++
	}
}

// opened records that an anomaly of the incident opened or reopened.
func (t *Tracker) opened(r *record, at int64) {
	r.OpenCount++
	if r.State == StateClosed {
		r.note(time.Unix(0, at).UTC(), "reopened")
	}
	r.State, r.Closed, r.Reason, r.Suspects = StateOpen, time.Time{}, "", nil
	if i := slices.Index(t.closed, r.ID); i >= 0 {
		t.closed = slices.Delete(t.closed, i, i+1)
	}
}

// merge merges an incident into another one.
func (t *Tracker) merge(into, r *record, at time.Time) {
	live := r.Live > 0
	t.view(r, &r.Incident)
	if at.Before(r.Opened) {
		at = r.Opened // event times of sources differ
	}
	r.MergedInto, r.State, r.Closed, r.Reason = into.ID, StateClosed, at, Merged
	r.note(at, "closed: merged into "+into.ID)
	into.note(at, "merged incident "+r.ID)
	if at.After(r.Updated) {
		r.Updated = at
	}
	for _, f := range t.followed { // including those that are not listed
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
	into.Outside = max(into.Outside, r.Outside)
	into.MaxScore = max(into.MaxScore, r.MaxScore)
	for service, until := range r.Until {
		if _, ok := into.Until[service]; ok || len(into.Until) < maxServices {
			known := into.Until[service]
			into.Until[service] = reach{max(known.Own, until.Own), max(known.Near, until.Near)}
		}
	}
	r.Members, r.Until, r.Unlisted, r.OpenCount, r.Live = nil, nil, 0, 0, 0
	t.newIncidents[r.ID] = r
	if live {
		t.archive(r)
	}
}

// settle closes an incident if all its anomalies have been closed for the settling time.
func (t *Tracker) settle(r *record, now int64) {
	if r.State == StateOpen && r.OpenCount == 0 && now-r.Outside >= int64(settled) {
		t.closeIncident(r)
	}
}

func (t *Tracker) closeIncident(r *record) {
	t.lead(r)
	t.view(r, &r.Incident)
	r.State, r.Closed, r.Reason = StateClosed, r.Last, r.Why
	r.note(r.Last, "closed: "+string(r.Why))
	t.newIncidents[r.ID] = r
}

// release records that an anomaly of the incident is no longer followed.
func (t *Tracker) release(r *record) {
	if r.Live--; r.Live > 0 {
		return
	}
	if r.State == StateOpen {
		t.closeIncident(r)
	}
	t.archive(r)
}

// archive moves an incident that is no longer live to the closed ones, of which the oldest are removed.
func (t *Tracker) archive(r *record) {
	t.closed = append(t.closed, r.ID)
	if len(t.closed) > maxClosed {
		delete(t.byID, t.closed[0])
		t.closed = t.closed[1:]
	}
}

// note appends an entry to the history. If it is full, the second entry is removed.
func (r *record) note(at time.Time, what string) {
	if len(r.History) >= maxHistory {
		r.History = slices.Delete(slices.Clone(r.History), 1, 2)
	}
	r.History = append(slices.Clip(r.History), Event{at, what})
}

// services returns the services of the incident's anomalies, sorted by name.
func (r *record) services() []string { return slices.Sorted(maps.Keys(r.Until)) }
