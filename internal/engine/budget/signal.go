// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package budget

import (
	"fmt"
	"slices"
)

// Signal is the kind of telemetry that a series is derived from. Each signal has a share of the budget of false alarms.
type Signal uint8

// Signals. Groups are derived from the verdicts on all other series.
const (
	Metrics Signal = iota
	Traces
	Logs
	Groups
	// News is the new templates in logs. It has a part of the share of logs.
	News
	// Behavior is the behavior changes of services, found in their spans and logs. It has a part of the share of traces.
	Behavior
	// Signals is the number of signals.
	Signals
)

var signalNames = [Signals]string{"metrics", "traces", "logs", "series_groups", "new_templates", "behavior"}

// shares lists the shares of the budget. The share of an absent signal is divided among the others in proportion.
var shares = [Signals]float64{0.50, 0.15, 0.10, 0.10, 0.05, 0.10}

// String returns the signal's name.
func (s Signal) String() string { return signalNames[s] }

// MarshalText returns the signal's name, as it is written in JSON.
func (s Signal) MarshalText() ([]byte, error) { return []byte(signalNames[s]), nil }

// UnmarshalText reads what MarshalText wrote.
func (s *Signal) UnmarshalText(text []byte) error {
	i := slices.Index(signalNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("unknown signal %q", text)
	}
	*s = Signal(i)
	return nil
}

// Decisions holds the number of decisions per day of each signal.
type Decisions [Signals]int64

// share returns the share of a signal in the budget, given the signals that are present in n.
func (n *Decisions) share(s Signal) float64 {
	total := shares[s]
	for other, decisions := range n {
		if Signal(other) != s && decisions > 0 {
			total += shares[other]
		}
	}
	return shares[s] / total
}
