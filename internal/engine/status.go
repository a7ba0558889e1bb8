// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"maps"
	"slices"
	"time"

	"github.com/auspex-otel/auspex/internal/engine/budget"
	"github.com/auspex-otel/auspex/internal/engine/census"
	"github.com/auspex-otel/auspex/internal/engine/room"
	"github.com/auspex-otel/auspex/internal/engine/view"
	"github.com/auspex-otel/auspex/internal/incident"
)

type ( // see internal/engine/view
	// Status is view.Status.
	Status = view.Status
	// SeriesQuery is view.SeriesQuery.
	SeriesQuery = view.SeriesQuery
	// SeriesView is view.SeriesView.
	SeriesView = view.SeriesView
)

// Status returns the counts and the state of the engine.
func (e *Engine) Status() Status {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := Status{
		Points: e.points, Refused: maps.Clone(e.refused), Held: maps.Clone(e.held), Untimely: e.untimely.Counts(),
		Series: e.streams.Weight(), Warming: e.warming, Evicted: e.evicted,
		Bytes: e.streams.Bytes(), MaxBytes: int(e.memory),
		Signals:         map[Signal]view.SignalStatus{},
		AnomaliesOpened: e.tracker.Opened, FalseAlarmsPerDay: e.cfg.FalseAlarms.PerDay(),
		Persisted: e.disk.client != nil, Generation: e.disk.generation, SnapshotTime: e.disk.taken,
		PendingFindings: e.findings.waiting(), DroppedFindings: e.findings.dropped,
	}
	for i := range signals {
		s.Signals[i] = view.SignalStatus{DecisionsPerDay: e.budget.Decisions()[i], Alpha: e.budget.Mean(i, e.accounts), Theta: e.budget.Theta(i)}
	}
	for _, n := range e.tracker.OpenBy() {
		s.OpenAnomalies += n
	}
	_, s.OpenIncidents = e.tracker.IncidentsBy()
	return s
}

const (
	// topCreators is the number of services, and of attributes, that are listed.
	topCreators = 10
	// rejectingFor is the time, in ticks, for which the status reports a rejected series.
	rejectingFor = 5 * time.Minute
)

func (e *Engine) rejecting() bool { return !e.fullAt.IsZero() && e.now.Sub(e.fullAt) < rejectingFor }

// accounts yields the part of every service in the budget, by name.
func (e *Engine) accounts(yield func(*budget.Account) bool) {
	for _, name := range slices.Sorted(maps.Keys(e.services)) {
		if !yield(&e.services[name].account) {
			return
		}
	}
}

// Crowd returns who has created the most series, and whether there is room for more.
func (e *Engine) Crowd() census.Crowd {
	e.mu.Lock()
	defer e.mu.Unlock()
	return census.Crowd{Rejecting: e.rejecting(), Services: e.census.Services(topCreators), Attributes: e.census.Attributes(topCreators)}
}

// Rejecting reports whether there was no room for another series within the last minutes:
// it was not watched, or others had to go.
func (e *Engine) Rejecting() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.rejecting()
}

// SetMaxMemory bounds the memory of what is learned, in bytes. What does not fit goes, that
// which has learned the least first.
func (e *Engine) SetMaxMemory(bytes int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.memory = room.Memory(max(bytes, room.Least))
	e.streams.SetLimit(e.memory.Streams())
	e.operations, e.templates = min(e.operations, e.memory.Entries()), min(e.templates, e.memory.Entries())
}

// Incidents lists the incidents in the given state, all of them for "", the latest opened first.
func (e *Engine) Incidents(state incident.State) []incident.Incident {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.tracker.Incidents(state)
}

// Incident returns one incident, if it is remembered.
func (e *Engine) Incident(id string) (incident.Incident, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.tracker.Incident(id)
}
