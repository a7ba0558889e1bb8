// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package budget

import (
	"errors"
	"fmt"
	"time"
)

// FalseAlarms is the expected number of anomalies in data without a fault, over everything that one engine or its
// replicas watch.
type FalseAlarms struct {
	// Count is expected within Per.
	Count float64       `mapstructure:"count"`
	Per   time.Duration `mapstructure:"per"`
	// Replicas is the number of engines that share the budget. Each watches a part of the series.
	Replicas int `mapstructure:"replicas"`
	// MaxAlpha bounds the false-alarm probability per decision, independent of the number of series.
	MaxAlpha float64 `mapstructure:"max_alpha"`
}

// Check returns an error that names every key out of its range. It is not called
// Validate: the collector would report each error twice.
func (f *FalseAlarms) Check() error {
	var errs []error
	if !(f.Count > 0) {
		errs = append(errs, fmt.Errorf("false_alarms::count is %v; must be above 0", f.Count))
	}
	if f.Per < time.Minute {
		errs = append(errs, fmt.Errorf("false_alarms::per is %v; must be at least 1m", f.Per))
	}
	if !(f.MaxAlpha > 0 && f.MaxAlpha <= 0.1) {
		errs = append(errs, fmt.Errorf("false_alarms::max_alpha is %v; must be above 0 and at most 0.1", f.MaxAlpha))
	}
	if f.Replicas < 1 {
		errs = append(errs, fmt.Errorf("false_alarms::replicas is %d; must be at least 1", f.Replicas))
	}
	return errors.Join(errs...)
}

// PerDay returns the accepted number of false alarms per day.
func (f *FalseAlarms) PerDay() float64 {
	return f.Count * float64(24*time.Hour) / float64(f.Per) / float64(max(1, f.Replicas))
}

// alpha returns the probability per decision that spends a share of the budget evenly over the given decisions per
// day.
func (f FalseAlarms) alpha(share, decisionsPerDay float64) float64 {
	if decisionsPerDay <= 0 {
		return f.MaxAlpha
	}
	perDay := share * f.Count * float64(24*time.Hour) / float64(f.Per) / float64(f.Replicas)
	return min(f.MaxAlpha, perDay/decisionsPerDay)
}
