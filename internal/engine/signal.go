// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import "github.com/auspex-otel/auspex/internal/engine/budget"

// Signal is budget.Signal.
type Signal = budget.Signal

// FalseAlarms is the accepted count of false alarms.
type FalseAlarms = budget.FalseAlarms

// The signals.
const (
	SignalMetrics  = budget.Metrics
	SignalTraces   = budget.Traces
	SignalLogs     = budget.Logs
	SignalGroups   = budget.Groups
	SignalNews     = budget.News
	SignalBehavior = budget.Behavior
	signals        = budget.Signals
)
