// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"errors"
	"fmt"
	"math"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.uber.org/zap"
)

// Direction is the side on which a series must leave its expected value.
type Direction string

// The directions. An empty one means both.
const (
	DirectionBoth Direction = "both"
	DirectionHigh Direction = "high"
	DirectionLow  Direction = "low"
)

// Rule configures some series. Every field is optional.
type Rule struct {
	// Where is an OTTL condition on resource, scope (or instrumentation_scope), metric, and the
	// data point's attributes. If empty, the rule applies to every series. It is evaluated once
	// per series, so it may use only the parts of the series' identity, and no value, time, or
	// count.
	Where string `mapstructure:"where"`
	// Direction is both, high, or low. A series with one rule for high and another for low opens
	// no anomaly.
	Direction Direction `mapstructure:"direction"`
	// MinChange is the minimum distance of observed from expected, in the unit of the series.
	MinChange float64 `mapstructure:"min_change"`
	// MinRelativeChange is the minimum distance relative to the size of expected: 0.2 is 20 %.
	MinRelativeChange float64 `mapstructure:"min_relative_change"`
	// MinDuration is the time that the score must stay at or above 1 before an anomaly opens.
	MinDuration time.Duration `mapstructure:"min_duration"`
	// DryRun evaluates and shows the series without opening anomalies.
	DryRun bool `mapstructure:"dry_run"`
	// Maintenance lists windows in which the series opens no anomaly.
	Maintenance []Maintenance `mapstructure:"maintenance"`
}

// Maintenance is a recurring window in event time.
type Maintenance struct {
	// Cron is the start: minute, hour, day of month, month, day of week, as in "0 2 * * 0". If a
	// clock change skips the start, the window begins when it would have begun without the
	// change. In a repeated hour it begins twice.
	Cron string `mapstructure:"cron"`
	// Duration is the length of the window.
	Duration time.Duration `mapstructure:"duration"`
	// Zone is the time zone of Cron as an IANA name, such as Europe/Berlin. The default is UTC.
	Zone string `mapstructure:"zone"`
}

// Validate returns an error for each invalid key.
func (r *Rule) Validate() error {
	_, err := r.compile(component.TelemetrySettings{Logger: zap.NewNop()})
	return err
}

// compiled is a rule in its evaluated form.
type compiled struct {
	*Rule
	condition *condition // nil if the rule applies to every series
	windows   []*window
}

func (r *Rule) compile(settings component.TelemetrySettings) (c compiled, err error) {
	c = compiled{Rule: r}
	errs := []error{r.checkRanges()}
	if r.Where != "" {
		if c.condition, err = parseCondition(r.Where, settings); err != nil {
			errs = append(errs, fmt.Errorf("where: %s: %w", r.Where, err))
		}
	}
	for i := range r.Maintenance {
		w, err := r.Maintenance[i].compile()
		if err != nil {
			errs = append(errs, fmt.Errorf("maintenance::%d: %w", i, err))
		}
		c.windows = append(c.windows, w)
	}
	return c, errors.Join(errs...)
}

func (r *Rule) checkRanges() error {
	var errs []error
	switch r.Direction {
	case "", DirectionBoth, DirectionHigh, DirectionLow:
	default:
		errs = append(errs, fmt.Errorf("direction is %q, it must be both, high, or low", r.Direction))
	}
	for _, k := range [...]struct {
		name string
		v    float64
	}{{"min_change", r.MinChange}, {"min_relative_change", r.MinRelativeChange}} {
		if !(k.v >= 0) || math.IsInf(k.v, 0) {
			errs = append(errs, fmt.Errorf("%s is %v, it must be a number and not below 0", k.name, k.v))
		}
	}
	if r.MinDuration < 0 {
		errs = append(errs, fmt.Errorf("min_duration is %v, it must not be below 0", r.MinDuration))
	}
	return errors.Join(errs...)
}
