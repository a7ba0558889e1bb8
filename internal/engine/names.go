// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"github.com/auspex-otel/auspex/internal/engine/budget"
	"github.com/auspex-otel/auspex/internal/engine/feedback"
	"github.com/auspex-otel/auspex/internal/engine/judge"
	"github.com/auspex-otel/auspex/internal/engine/logs"
	"github.com/auspex-otel/auspex/internal/engine/past"
	"github.com/auspex-otel/auspex/internal/engine/spans"
	"github.com/auspex-otel/auspex/internal/engine/view"
)

// Types and constants that callers of the engine use, from the packages that own them.
type (
	// Output is judge.Output.
	Output = judge.Output
	// Select is judge.Select.
	Select = judge.Select
	// Verdict is judge.Verdict.
	Verdict = judge.Verdict
	// LogVerdict is logs.Verdict.
	LogVerdict = logs.Verdict
	// LogParameter is logs.Parameter.
	LogParameter = logs.Parameter
	// SpanVerdict is spans.Verdict.
	SpanVerdict = spans.Verdict
	// History is past.History.
	History = past.History
	// Origin is past.Origin.
	Origin = past.Origin
	// Past is past.Past.
	Past = past.Past
	// Signal is budget.Signal.
	Signal = budget.Signal
	// FalseAlarms is budget.FalseAlarms.
	FalseAlarms = budget.FalseAlarms
	// Schedule is budget.Schedule.
	Schedule = budget.Schedule
	// ScheduleRecord is budget.Record.
	ScheduleRecord = budget.Record
	// Feedback is feedback.Feedback.
	Feedback = feedback.Feedback
	// FeedbackView is feedback.View.
	FeedbackView = feedback.View
	// Audit is feedback.Audit.
	Audit = feedback.Audit
	// Target is feedback.Target.
	Target = feedback.Target
	// Events is view.Events.
	Events = view.Events
	// Gauge is view.Gauge.
	Gauge = view.Gauge
	// Gauges is view.Gauges.
	Gauges = view.Gauges
	// Status is view.Status.
	Status = view.Status
	// SeriesQuery is view.SeriesQuery.
	SeriesQuery = view.SeriesQuery
	// SeriesView is view.SeriesView.
	SeriesView = view.SeriesView
)

// The selections of series whose verdicts are returned.
const (
	SelectAnomalous = judge.SelectAnomalous
	SelectAll       = judge.SelectAll
	SelectNone      = judge.SelectNone
)

// Reasons why a data point could not be judged, as counted in Status.Refused.
const (
	RefusedNotFinite   = judge.RefusedNotFinite
	RefusedNoTimestamp = judge.RefusedNoTimestamp
	RefusedOutOfOrder  = judge.RefusedOutOfOrder
	RefusedDuplicate   = judge.RefusedDuplicate
	RefusedNoValue     = judge.RefusedNoValue
	RefusedMalformed   = judge.RefusedMalformed
	RefusedTooDeep     = judge.RefusedTooDeep
	RefusedNoRoom      = judge.RefusedNoRoom
)

// Reasons why an anomaly did not open, as counted in Status.Held, beside those of internal/policy.
const (
	HeldMinDuration = judge.HeldMinDuration
	HeldDryRun      = judge.HeldDryRun
	HeldSilenced    = judge.HeldSilenced
)

// Reasons of log records and spans.
const (
	ReasonNewTemplate = logs.ReasonNewTemplate
	ReasonSlow        = spans.ReasonSlow
	ReasonError       = spans.ReasonError
)

// The signals.
const (
	SignalMetrics  = budget.Metrics
	SignalTraces   = budget.Traces
	SignalLogs     = budget.Logs
	SignalGroups   = budget.Groups
	SignalNews     = budget.News
	SignalBehavior = budget.Behavior
)

// The kinds of feedback.
const (
	FeedbackSilence = feedback.Silence
	FeedbackNormal  = feedback.Normal
)

// ErrNoFeedback is returned where no feedback has the id.
var ErrNoFeedback = feedback.ErrUnknown
