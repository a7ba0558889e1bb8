// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

// Package view defines the types in which the engine reports its status, series, and findings.
package view

import (
	"math"
	"time"

	"github.com/auspex-otel/auspex/internal/engine/budget"
)

// Status holds the counts and the state of the engine. The API of the console returns its JSON form.
type Status struct {
	// Points counts the judged points of metrics since the first start of the stored state. Refused counts rejected
	// data points by reason.
	Points  uint64            `json:"points"`
	Refused map[string]uint64 `json:"refused"`
	// Untimely counts timestamps far ahead of the clock or far behind their neighbors, by verdict. They update only
	// their own series.
	Untimely map[string]uint64 `json:"untimely"`
	// Series counts the series in the table, Warming those without a verdict, Evicted those removed by limit or age.
	Series  int    `json:"series"`
	Warming int    `json:"warming"`
	Evicted uint64 `json:"evicted"`
	// Bytes is the estimated memory of the series. MaxBytes is the limit of the engine, 0 for none.
	Bytes    int `json:"bytes"`
	MaxBytes int `json:"max_bytes"`
	// Signals holds the use of the budget by each signal.
	Signals map[budget.Signal]SignalStatus `json:"signals"`
	// FalseAlarmsPerDay is the budget of false alarms.
	FalseAlarmsPerDay float64 `json:"false_alarms_per_day"`
	// Held counts the anomalies that a policy or a silence prevented from opening, by reason.
	Held map[string]uint64 `json:"held"`
	// OpenAnomalies and OpenIncidents are open now; AnomaliesOpened counts all.
	OpenAnomalies   int    `json:"open_anomalies"`
	OpenIncidents   int    `json:"open_incidents"`
	AnomaliesOpened uint64 `json:"anomalies_opened"`
	// Persisted reports whether state is kept on disk. Generation and SnapshotTime are those of the latest snapshot.
	Persisted    bool      `json:"persisted"`
	Generation   uint64    `json:"generation"`
	SnapshotTime time.Time `json:"snapshot_time,omitzero"`
	// PendingFindings wait for the findings receiver. DroppedFindings counts those without room to wait.
	PendingFindings int    `json:"pending_findings"`
	DroppedFindings uint64 `json:"dropped_findings"`
}

// SignalStatus holds the use of the budget by one signal.
type SignalStatus struct {
	// DecisionsPerDay is the sum over its series. Alpha is the resulting false-alarm probability per decision, in the
	// mean over all services.
	DecisionsPerDay int64   `json:"decisions_per_day"`
	Alpha           float64 `json:"alpha"`
	// Theta is the number of anomalies that open per exceedance, learned from points with p < 1e-3.
	Theta float64 `json:"theta"`
}

// SeriesQuery selects series. An empty field selects all; Limit 0 means 100.
type SeriesQuery struct {
	Service, Metric, Statistic string
	// Text holds words that must all occur in the names of service, metric, statistic, or attributes, or in attribute
	// values.
	Text  string
	Limit int
}

// SeriesView holds one series and its latest verdict. The API of the console returns its JSON form. Numbers that are
// not available while the series is warming are absent.
type SeriesView struct {
	ID         string            `json:"id"`
	Service    string            `json:"service"`
	Metric     string            `json:"metric"`
	Statistic  string            `json:"statistic"`
	Unit       string            `json:"unit"`
	Attributes map[string]string `json:"attributes,omitempty"`
	Time       time.Time         `json:"time"`
	// CadenceSeconds is the usual distance between two points.
	CadenceSeconds float64  `json:"cadence_seconds"`
	Points         uint64   `json:"points"`
	Score          float64  `json:"score"`
	Observed       float64  `json:"observed"`
	Expected       *float64 `json:"expected,omitempty"`
	Lower          *float64 `json:"lower,omitempty"`
	Upper          *float64 `json:"upper,omitempty"`
}

// Number returns a pointer to v, or nil if JSON cannot represent it.
func Number(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}
