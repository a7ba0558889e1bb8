// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package pending holds findings until the findings receiver has delivered them.
package pending

import (
	"maps"
	"slices"

	"github.com/auspex-otel/auspex/internal/engine/view"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/series"
	"github.com/auspex-otel/auspex/internal/state"
)

// most bounds the findings of each kind.
const most = 10_000

// Findings holds the findings that are not delivered yet. A newer update of an id replaces
// an older one. If there is no room, a new finding is dropped and counted.
type Findings struct {
	anomalies  map[string]*incident.Anomaly
	incidents  map[string]*incident.Incident
	companions map[series.ID]*view.Companions
	dropped    uint64
}

// New returns no findings.
func New() *Findings {
	return &Findings{anomalies: map[string]*incident.Anomaly{}, incidents: map[string]*incident.Incident{}, companions: map[series.ID]*view.Companions{}}
}

// Add adds updates of anomalies and incidents.
func (f *Findings) Add(anomalies []incident.Anomaly, incidents []incident.Incident) {
	for i := range anomalies {
		hold(f, f.anomalies, anomalies[i].ID, &anomalies[i])
	}
	for i := range incidents {
		hold(f, f.incidents, incidents[i].ID, &incidents[i])
	}
}

// AddCompanions adds companion gauges of a series.
func (f *Findings) AddCompanions(c *view.Companions) { hold(f, f.companions, c.Series, c) }

func hold[K comparable, V any](f *Findings, m map[K]*V, id K, v *V) {
	if _, known := m[id]; !known && len(m) >= most {
		f.dropped++
		return
	}
	m[id] = v
}

// Waiting returns the number of findings.
func (f *Findings) Waiting() int { return len(f.anomalies) + len(f.incidents) + len(f.companions) }

// Dropped returns the number of findings for which there was no room.
func (f *Findings) Dropped() uint64 { return f.dropped }

// Events returns the anomalies and incidents, in the order of their ids.
func (f *Findings) Events() view.Events {
	return view.Events{Anomalies: inOrder(f.anomalies), Incidents: inOrder(f.incidents)}
}

// Companions returns the companion gauges, in the order of their series.
func (f *Findings) Companions() []*view.Companions { return inOrder(f.companions) }

// DeliveredEvents forgets delivered events that have not changed since.
func (f *Findings) DeliveredEvents(ev view.Events) {
	for _, a := range ev.Anomalies {
		forget(f.anomalies, a.ID, a)
	}
	for _, i := range ev.Incidents {
		forget(f.incidents, i.ID, i)
	}
}

// DeliveredCompanions forgets delivered companion gauges that have not changed since.
func (f *Findings) DeliveredCompanions(list []*view.Companions) {
	for _, c := range list {
		forget(f.companions, c.Series, c)
	}
}

func forget[K comparable, V any](m map[K]*V, id K, delivered *V) {
	if m[id] == delivered {
		delete(m, id)
	}
}

// PersistEvents writes the anomalies and incidents, or reads and adds them.
func (f *Findings) PersistEvents(c *state.Codec) {
	anomalies, incidents := f.anomalies, f.incidents
	if c.Reading() {
		anomalies, incidents = nil, nil
	}
	state.Map(c, &anomalies, 4, c.String, func(a **incident.Anomaly) {
		if c.Reading() {
			*a = &incident.Anomaly{}
		}
		(*a).Persist(c)
	})
	state.Map(c, &incidents, 4, c.String, func(i **incident.Incident) {
		if c.Reading() {
			*i = &incident.Incident{}
		}
		(*i).Persist(c)
	})
	if c.Reading() {
		maps.Copy(f.anomalies, anomalies)
		maps.Copy(f.incidents, incidents)
	}
}

func inOrder[K interface{ ~string | ~uint64 }, V any](m map[K]*V) []*V {
	list := make([]*V, 0, len(m))
	for _, id := range slices.Sorted(maps.Keys(m)) {
		list = append(list, m[id])
	}
	return list
}
