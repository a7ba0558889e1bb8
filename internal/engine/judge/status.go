// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package judge

import (
	"maps"
	"slices"
	"time"

	"github.com/auspex-otel/auspex/internal/engine/budget"
	"github.com/auspex-otel/auspex/internal/engine/census"
	"github.com/auspex-otel/auspex/internal/engine/view"
)

// Status adds the counts of the judge to the status of the engine.
func (j *Judge) Status(s *view.Status) {
	s.Points, s.Refused, s.Held, s.Untimely = j.points, maps.Clone(j.refused), maps.Clone(j.held), j.untimely.Counts()
	s.Series, s.Warming, s.Evicted = j.streams.Weight(), j.warming, j.evicted
	s.Bytes, s.MaxBytes = j.streams.Bytes(), int(j.memory)
	s.AnomaliesOpened, s.FalseAlarmsPerDay = j.tracker.Opened, j.cfg.FalseAlarms.PerDay()
	s.PendingFindings, s.DroppedFindings = j.findings.Waiting(), j.findings.Dropped()
	s.Signals = map[budget.Signal]view.SignalStatus{}
	for i := range budget.Signals {
		s.Signals[i] = view.SignalStatus{DecisionsPerDay: j.budget.Decisions()[i], Alpha: j.budget.Mean(i, j.accounts), Theta: j.budget.Theta(i)}
	}
	for _, n := range j.tracker.OpenBy() {
		s.OpenAnomalies += n
	}
	_, s.OpenIncidents = j.tracker.IncidentsBy()
}

const (
	// topCreators is the number of services, and of attributes, that are listed.
	topCreators = 10
	// rejectingFor is the time, in ticks, for which the status reports a rejected series.
	rejectingFor = 5 * time.Minute
)

// Rejecting reports whether there was no room for another series within the last minutes:
// it was not watched, or others were evicted.
func (j *Judge) Rejecting() bool { return !j.fullAt.IsZero() && j.now.Sub(j.fullAt) < rejectingFor }

// Published returns budget.Published.
func (j *Judge) Published(all bool) []budget.Record { return j.budget.Published(all, j.accounts) }

// accounts yields the part of every service in the budget, by name.
func (j *Judge) accounts(yield func(*budget.Account) bool) {
	for _, name := range slices.Sorted(maps.Keys(j.services)) {
		if !yield(&j.services[name].account) {
			return
		}
	}
}

// Crowd returns who has created the most series, and whether there is room for more.
func (j *Judge) Crowd() census.Crowd {
	return census.Crowd{Rejecting: j.Rejecting(), Services: j.census.Services(topCreators), Attributes: j.census.Attributes(topCreators)}
}
