// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"time"

	"github.com/auspex-otel/auspex/internal/engine/census"
	"github.com/auspex-otel/auspex/internal/engine/view"
	"github.com/auspex-otel/auspex/internal/incident"
	"github.com/auspex-otel/auspex/internal/topology"
)

// Status returns the counts and the state of the engine.
func (e *Engine) Status() Status {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := Status{Persisted: e.disk.client != nil, Generation: e.disk.generation, SnapshotTime: e.disk.taken}
	e.judge.Status(&s)
	return s
}

// Crowd returns who has created the most series, and whether there is room for more.
func (e *Engine) Crowd() census.Crowd {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.judge.Crowd()
}

// Rejecting reports whether there was no room for another series within the last minutes:
// it was not watched, or others were evicted.
func (e *Engine) Rejecting() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.judge.Rejecting()
}

// Incidents lists the incidents in the given state, all of them for "", the latest opened first.
func (e *Engine) Incidents(state incident.State) []incident.Incident {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.judge.Tracker().Incidents(state)
}

// Incident returns one incident, if it is remembered.
func (e *Engine) Incident(id string) (incident.Incident, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.judge.Tracker().Incident(id)
}

// Suspects ranks the services that may have caused what began at from, the most
// suspicious first, by the evidence until now. Asking changes nothing that the engine finds.
func (e *Engine) Suspects(from, until time.Time) []topology.Suspect {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.causes.Suspects(from, until)
}

// Series lists series and their latest verdicts, the highest score first.
func (e *Engine) Series(q SeriesQuery) (list []SeriesView) {
	e.Look(func(rows view.Rows, _ *topology.Graph) { list = view.Series(rows, q) })
	return list
}

// Look has a function read all series, and what calls what. Both are valid and the engine is locked until it returns.
func (e *Engine) Look(read func(view.Rows, *topology.Graph)) {
	defer e.lockAll()()
	read(e.judge.Rows(), e.causes.Graph())
}

// Templates returns the templates of log records that are counted, by service and id.
func (e *Engine) Templates() []view.Template {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.logs.Templates()
}
