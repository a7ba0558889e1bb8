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
	// quietPoints is how many points in a row below the threshold close an anomaly.
	quietPoints = 3
	// tailPoints is how many points after closing a series stays exposed.
	tailPoints = 5
	// holdOffPoints is the hold-off: re-opening within it continues an anomaly.
	holdOffPoints = 90
	// maxActive bounds the series that are followed at once, maxClosed the closed
	// incidents that are remembered, maxListed the anomalies kept in one incident.
	maxActive, maxClosed, maxListed = 10_000, 500, 200
	// maxTraces bounds the traces that an anomaly names.
	maxTraces = 5
	// growth is how much stranger than its strangest point an anomaly must get before that is news.
	growth = 1.1
)

// Phase says what a point means for whoever shows the series.
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
// since the Unix epoch, Cadence the usual distance of two points in nanoseconds,
// LogP ln p of the surprise. Where no point came, and that is what is judged,
// SilentSince is the time of the last one; else 0.
type Point struct {
	Series                           uint64
	Time, Cadence, SilentSince       int64
	Score, LogP                      float64
	Observed, Expected, Lower, Upper float64
	Kind                             string
	// TraceIDs are traces in which the point can be seen.
	TraceIDs []string
}

// followed is a series with an anomaly that is open or in its hold-off.
type followed struct {
	Anomaly       *Anomaly
	Quiet         int   // points in a row below the threshold
	Cadence       int64 // nanoseconds
	LastAnomalous int64 // event time of the last point at or above the threshold
	Reported      float64
}

// Tracker follows the series that are, or just were, anomalous. The zero value is not ready; use NewTracker.
type Tracker struct {
	followed map[uint64]*followed
	byID     map[string]*record // live and remembered ones
	closed   []string           // ids of those that are no longer live, oldest first
	graph    *Graph
	// newAnomalies and newIncidents are what changed since the last News.
	newAnomalies map[string]*Anomaly
	newIncidents map[string]*record
	// Changes are what was changed in services. Whoever knows of one tells it here.
	Changes Changes
	// Opened and Refused count anomalies that opened, and those that could not be followed because maxActive were.
	Opened, Refused uint64
}

// NewTracker returns a tracker that follows nothing yet.
func NewTracker() *Tracker {
	return &Tracker{
		followed: map[uint64]*followed{}, byID: map[string]*record{},
		newAnomalies: map[string]*Anomaly{}, newIncidents: map[string]*record{},
	}
}

// SetGraph tells the tracker how services hang together from here on. It is no part of the saved state.
func (t *Tracker) SetGraph(g *Graph) { t.graph = g }

// Follows tells whether the series has an anomaly that is open or in its
// hold-off. A point of a series that is not followed and scores below 1 need
// not be given to Observe.
func (t *Tracker) Follows(series uint64) bool { return t.followed[series] != nil }

// Open tells whether the series has an open anomaly.
func (t *Tracker) Open(series uint64) bool {
	f := t.followed[series]
	return f != nil && f.Anomaly.State == StateOpen
}

// Observe takes the next point of a series. subject is called where an anomaly opens.
func (t *Tracker) Observe(p Point, subject func() Subject) Phase {
	f, before := t.followed[p.Series], PhaseNone
	if f != nil && f.Anomaly.State == StateClosed && p.Time-f.LastAnomalous > holdOffPoints*f.Cadence {
		if f.exposed() {
			before = PhaseEnd
		}
		t.forget(p.Series, f)
		f = nil
	}
	if p.Score >= 1 {
		if f == nil {
			if f = t.open(p, subject()); f == nil {
				return PhaseNone
			}
		} else if f.Anomaly.State == StateClosed {
			t.reopen(f)
		}
		t.strange(f, p)
		return PhaseExposed
	}
	if f == nil {
		return before
	}
	return t.quiet(f, p)
}

// Silence tells the tracker that the series has stopped coming: an open anomaly
// closes and the series is no longer followed. It tells whether it was still exposed.
func (t *Tracker) Silence(series uint64) (exposed bool) {
	f := t.followed[series]
	if f == nil {
		return false
	}
	exposed = f.exposed()
	if f.Anomaly.State == StateOpen {
		t.close(f)
	}
	t.forget(series, f)
	return exposed
}

// exposed tells whether the last point's phase was PhaseExposed.
func (f *followed) exposed() bool { return f.Quiet <= quietPoints+tailPoints }

// Followed lists the series that are followed, in the order of their identity.
func (t *Tracker) Followed() []uint64 {
	return slices.Sorted(maps.Keys(t.followed))
}

// News returns the anomalies and incidents that changed since the last call, as
// they are now, in the order of their ids.
func (t *Tracker) News() (anomalies []Anomaly, incidents []Incident) {
	if len(t.newAnomalies)+len(t.newIncidents) == 0 {
		return nil, nil // as after nearly every batch: sorting nothing would allocate
	}
	for _, id := range slices.Sorted(maps.Keys(t.newAnomalies)) {
		anomalies = append(anomalies, *t.newAnomalies[id])
	}
	for _, id := range slices.Sorted(maps.Keys(t.newIncidents)) {
		r := t.newIncidents[id]
		if !r.Updated.After(r.Told) {
			r.Updated = r.Told.Add(1) // whoever keeps the latest alone tells updates apart by it
		}
		r.Told = r.Updated
		incidents = append(incidents, t.told(r))
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
	f := &followed{Anomaly: a}
	t.followed[p.Series] = f
	r := t.join(a, p)
	r.Live++
	t.opened(r)
	t.tell(a, r)
	return f
}

func (t *Tracker) reopen(f *followed) {
	f.Anomaly.State, f.Anomaly.Closed = StateOpen, time.Time{}
	r := t.byID[f.Anomaly.Incident]
	t.opened(r)
	t.tell(f.Anomaly, r)
}

// strange takes a point at or above the threshold into an open anomaly.
func (t *Tracker) strange(f *followed, p Point) {
	a, r := f.Anomaly, t.byID[f.Anomaly.Incident]
	f.Quiet, f.Cadence, f.LastAnomalous = 0, p.Cadence, p.Time
	a.Score, a.Updated = p.Score, time.Unix(0, p.Time).UTC()
	r.lasts(a.Updated)
	r.see(a.Service, p)
	a.addTraces(p.TraceIDs)
	if p.SilentSince != 0 {
		a.SilentSince = time.Unix(0, p.SilentSince).UTC()
		t.tell(a, r)
	}
	if p.Score <= a.MaxScore {
		return
	}
	a.MaxScore, a.Surprise, a.Kind = p.Score, p.LogP, p.Kind
	a.Observed, a.Expected, a.Lower, a.Upper = p.Observed, p.Expected, p.Lower, p.Upper
	r.MaxScore = math.Max(r.MaxScore, p.Score)
	if p.Score > growth*f.Reported {
		f.Reported = p.Score
		t.tell(a, r)
	}
}

// quiet takes a point below the threshold into an anomaly that is open or in its hold-off.
func (t *Tracker) quiet(f *followed, p Point) Phase {
	f.Quiet++
	f.Anomaly.Score = p.Score
	if f.Anomaly.State == StateOpen {
		f.Anomaly.Updated = time.Unix(0, p.Time).UTC()
		if f.Quiet >= quietPoints {
			t.close(f)
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

func (t *Tracker) close(f *followed) {
	a, r := f.Anomaly, t.byID[f.Anomaly.Incident]
	a.State, a.Closed = StateClosed, a.Updated
	r.lasts(a.Updated)
	r.OpenCount--
	t.tell(a, r)
}

// forget ends the hold-off of a series whose anomaly is closed.
func (t *Tracker) forget(series uint64, f *followed) {
	delete(t.followed, series)
	t.release(t.byID[f.Anomaly.Incident])
}

// addTraces takes in the latest traces.
func (a *Anomaly) addTraces(ids []string) {
	for _, id := range ids {
		if !slices.Contains(a.TraceIDs, id) {
			a.TraceIDs = append(slices.Clone(a.TraceIDs), id) // what was told of it is a copy
		}
	}
	if n := len(a.TraceIDs); n > maxTraces {
		a.TraceIDs = a.TraceIDs[n-maxTraces:]
	}
}

func (t *Tracker) tell(a *Anomaly, r *record) {
	t.newAnomalies[a.ID], t.newIncidents[r.ID] = a, r
}

// makeID is the FNV-1a hash of a name and an event time, as 16 hexadecimal digits.
func makeID(name string, at int64) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // a hash never fails
	_, _ = h.Write(binary.BigEndian.AppendUint64(nil, uint64(at)))
	return fmt.Sprintf("%016x", h.Sum64())
}
