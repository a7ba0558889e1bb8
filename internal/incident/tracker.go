// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"maps"
	"math"
	"slices"
	"time"
)

const (
	// quietPoints is the number of points in a row, inside the interval that was predicted
	// before an anomaly opened, that close it.
	quietPoints = 3
	// tailPoints is the number of points after closing for which a series stays exposed.
	tailPoints = 5
	// cooldownPoints is the cooldown: re-opening within it continues an anomaly.
	cooldownPoints = 90
	// maxActive bounds the series that are followed at once, maxClosed the closed
	// incidents that are remembered, maxListed the anomalies kept in one incident.
	maxActive, maxClosed, maxListed = 10_000, 500, 200
	// maxTraces bounds the traces that an anomaly names.
	maxTraces = 5
	// growth is the factor by which a score must exceed the greatest reported one to make an update.
	growth = 1.1
)

// Phase states whether a series is shown.
type Phase uint8

const (
	// PhaseNone is the phase of a series that has nothing to show.
	PhaseNone Phase = iota
	// PhaseExposed lasts from the opening point to five points after closing.
	PhaseExposed
	// PhaseEnd is the phase of the one point that follows PhaseExposed.
	PhaseEnd
)

// Point is one judged point of one series. Time is event time in nanoseconds
// since the Unix epoch. Cadence is the usual distance of two points in nanoseconds.
// Surprise is -ln p in nats. If the absence of points is judged, SilentSince is the time
// of the last one; otherwise it is 0.
type Point struct {
	Series                           uint64
	Time, Cadence, SilentSince       int64
	Score, Surprise                  float64
	Observed, Expected, Lower, Upper float64
	Kind                             string
	// Accepted reports that this point made a new level the normal one.
	Accepted bool
	// TraceIDs are traces in which the point can be seen.
	TraceIDs []string
}

// outside reports whether the value lies outside the interval of its point. For a group
// series, only values above the interval count.
func (p *Point) outside(group bool) bool {
	return p.Observed > p.Upper || p.Observed < p.Lower && !group
}

// followed is a series with an anomaly that is open or in its cooldown.
type followed struct {
	Anomaly       *Anomaly
	Quiet         int   // points in a row inside the interval
	Cadence       int64 // nanoseconds
	LastAnomalous int64 // event time of the last point outside the interval
	Reported      float64
}

// Tracker follows the series that are or recently were anomalous. Use NewTracker.
type Tracker struct {
	followed map[uint64]*followed
	byID     map[string]*record // live and remembered ones
	closed   []string           // ids of those that are no longer live, oldest first
	graph    *Graph
	// newAnomalies and newIncidents hold the changes since the last News.
	newAnomalies map[string]*Anomaly
	newIncidents map[string]*record
	// Changes holds the reported changes of services.
	Changes Changes
	// Opened counts the opened anomalies, Refused those that could not be followed because of maxActive.
	Opened, Refused uint64
}

// NewTracker returns an empty tracker.
func NewTracker() *Tracker {
	return &Tracker{
		followed: map[uint64]*followed{}, byID: map[string]*record{},
		newAnomalies: map[string]*Anomaly{}, newIncidents: map[string]*record{},
	}
}

// SetGraph replaces the graph of services. The graph is not part of the saved state.
func (t *Tracker) SetGraph(g *Graph) { t.graph = g }

// Follows reports whether the series has an anomaly that is open or in its cooldown. The
// caller may skip Observe for a point that scores below 1 of a series that is not followed.
func (t *Tracker) Follows(series uint64) bool { return t.followed[series] != nil }

// Open reports whether the series has an open anomaly.
func (t *Tracker) Open(series uint64) bool {
	f := t.followed[series]
	return f != nil && f.Anomaly.State == StateOpen
}

// Observe processes the next point of a series. It calls subject if an anomaly opens.
func (t *Tracker) Observe(p Point, subject func() Subject) Phase {
	f, before := t.followed[p.Series], PhaseNone
	if f != nil && f.Anomaly.State == StateClosed && p.Time-f.LastAnomalous > cooldownPoints*f.Cadence {
		if f.exposed() {
			before = PhaseEnd
		}
		t.forget(p.Series, f)
		f = nil
	}
	if p.Score >= 1 && !p.Accepted {
		if f != nil && f.Anomaly.State == StateClosed && t.outlived(f, p) {
			t.forget(p.Series, f)
			f = nil
		}
		if f == nil {
			if f = t.open(p, subject()); f == nil {
				return PhaseNone
			}
		} else if f.Anomaly.State == StateClosed {
			t.reopen(f, p)
		}
		t.strange(f, p)
		return PhaseExposed
	}
	switch {
	case f == nil:
		return before
	case f.Anomaly.State == StateClosed:
		return t.quiet(f, p)
	case p.Accepted:
		f.Quiet, f.Anomaly.Updated = quietPoints, time.Unix(0, p.Time).UTC()
		t.close(f, Accepted)
		return PhaseExposed
	case p.outside(f.Anomaly.Group):
		t.lasts(f, p)
		return PhaseExposed
	}
	return t.quiet(f, p)
}

// Silence stops following a series: an open anomaly closes for the given reason.
// It reports whether the series was still exposed.
func (t *Tracker) Silence(series uint64, why Reason) (exposed bool) {
	f := t.followed[series]
	if f == nil {
		return false
	}
	exposed = f.exposed()
	if f.Anomaly.State == StateOpen {
		t.close(f, why)
	}
	t.forget(series, f)
	return exposed
}

// exposed reports whether the phase of the last point was PhaseExposed.
func (f *followed) exposed() bool { return f.Quiet <= quietPoints+tailPoints }

// Followed lists the series that are followed, in the order of their identity.
func (t *Tracker) Followed() []uint64 {
	return slices.Sorted(maps.Keys(t.followed))
}

// News returns the anomalies and incidents that changed since the last call, in their present state, in the order of
// their ids.
func (t *Tracker) News() (anomalies []Anomaly, incidents []Incident) {
	if len(t.newAnomalies)+len(t.newIncidents) == 0 {
		return nil, nil // the usual case; sorting would allocate
	}
	for _, id := range slices.Sorted(maps.Keys(t.newAnomalies)) {
		a := *t.newAnomalies[id]
		if r := t.byID[a.Incident]; r != nil && r.Minor {
			a.Incident = ""
		}
		anomalies = append(anomalies, a)
	}
	for _, id := range slices.Sorted(maps.Keys(t.newIncidents)) {
		r := t.newIncidents[id]
		if r.Minor {
			continue
		}
		if !r.Updated.After(r.Told) {
			r.Updated = r.Told.Add(1) // so that each update has a distinct time
		}
		r.Told = r.Updated
		incidents = append(incidents, t.lead(r))
	}
	clear(t.newAnomalies)
	clear(t.newIncidents)
	return anomalies, incidents
}

func (t *Tracker) open(p Point, s Subject) *followed {
	if len(t.followed) >= maxActive {
		t.Refused++
		return nil
	}
	t.Opened++
	at := time.Unix(0, p.Time).UTC()
	a := &Anomaly{ID: makeID(s.Series, p.Time), Subject: s, State: StateOpen, Opened: at, Updated: at}
	a.measure(p)
	f := &followed{Anomaly: a}
	t.followed[p.Series] = f
	r := t.join(a, p)
	r.Live++
	t.opened(r, p.Time)
	t.tell(a, r)
	return f
}

func (t *Tracker) reopen(f *followed, p Point) {
	f.Anomaly.State, f.Anomaly.Closed, f.Anomaly.Reason = StateOpen, time.Time{}, ""
	r := t.byID[f.Anomaly.Incident]
	t.opened(r, p.Time)
	t.tell(f.Anomaly, r)
}

// strange adds a point at or above the threshold to an open anomaly.
func (t *Tracker) strange(f *followed, p Point) {
	a, r := f.Anomaly, t.byID[f.Anomaly.Incident]
	t.lasts(f, p)
	a.addTraces(p.TraceIDs)
	if p.SilentSince != 0 {
		a.SilentSince = time.Unix(0, p.SilentSince).UTC()
		t.tell(a, r)
	}
	if p.Score <= a.MaxScore {
		return
	}
	a.MaxScore = p.Score
	a.measure(p)
	r.MaxScore = math.Max(r.MaxScore, p.Score)
	if p.Score > growth*f.Reported {
		f.Reported = p.Score
		t.tell(a, r)
	}
}

// lasts adds a point outside the interval to an open anomaly.
func (t *Tracker) lasts(f *followed, p Point) {
	a, r := f.Anomaly, t.byID[f.Anomaly.Incident]
	f.Quiet, f.Cadence, f.LastAnomalous = 0, p.Cadence, p.Time
	a.Score, a.Updated = p.Score, time.Unix(0, p.Time).UTC()
	r.lasts(a.Updated)
	r.Outside = max(r.Outside, p.Time)
	r.see(a, p)
}

// measure copies the values of the most surprising point.
func (a *Anomaly) measure(p Point) {
	a.Surprise, a.Kind = p.Surprise, p.Kind
	a.Observed, a.Expected, a.Lower, a.Upper = p.Observed, p.Expected, p.Lower, p.Upper
}

// quiet processes a point inside the interval for an open anomaly, or any point for one in its cooldown.
func (t *Tracker) quiet(f *followed, p Point) Phase {
	f.Quiet++
	f.Anomaly.Score = p.Score
	if f.Anomaly.State == StateOpen {
		f.Anomaly.Updated = time.Unix(0, p.Time).UTC()
		if f.Quiet >= quietPoints {
			t.close(f, Recovered)
		}
	}
	t.settle(t.byID[f.Anomaly.Incident], p.Time)
	switch after := f.Quiet - quietPoints; {
	case after <= tailPoints:
		return PhaseExposed
	case after == tailPoints+1:
		return PhaseEnd
	default:
		return PhaseNone
	}
}

func (t *Tracker) close(f *followed, why Reason) {
	a, r := f.Anomaly, t.byID[f.Anomaly.Incident]
	a.State, a.Closed, a.Reason = StateClosed, a.Updated, why
	r.Why = why
	r.lasts(a.Updated)
	r.OpenCount--
	t.tell(a, r)
}

// forget ends the cooldown of a series after its anomaly has closed.
func (t *Tracker) forget(series uint64, f *followed) {
	delete(t.followed, series)
	t.release(t.byID[f.Anomaly.Incident])
}

// addTraces adds the latest traces.
func (a *Anomaly) addTraces(ids []string) {
	for _, id := range ids {
		if !slices.Contains(a.TraceIDs, id) {
			a.TraceIDs = append(slices.Clone(a.TraceIDs), id) // reported anomalies share the old slice
		}
	}
	if n := len(a.TraceIDs); n > maxTraces {
		a.TraceIDs = a.TraceIDs[n-maxTraces:]
	}
}

func (t *Tracker) tell(a *Anomaly, r *record) {
	t.newAnomalies[a.ID], t.newIncidents[r.ID] = a, r
}

// makeID returns the FNV-1a hash of a name and an event time as 16 hexadecimal digits.
func makeID(name string, at int64) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // a hash returns no errors
	_, _ = h.Write(binary.BigEndian.AppendUint64(nil, uint64(at)))
	return fmt.Sprintf("%016x", h.Sum64())
}
