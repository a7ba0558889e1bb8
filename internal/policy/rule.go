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

// Direction says which way a series must leave what is expected.
type Direction string

// The directions. None given is both.
const (
	DirectionBoth Direction = "both"
	DirectionHigh Direction = "high"
	DirectionLow  Direction = "low"
)

// Rule configures some series. Every field is optional.
type Rule struct {
	// Where is an OTTL condition on resource, scope (or instrumentation_scope),
	// metric and the data point's attributes. Empty, the rule holds for every
	// series. It is read once for a series, so that it may ask for what makes up
	// the series' identity and for nothing else: not for a value, a time, a count.
	Where string `mapstructure:"where"`
	// Direction is the way a series must leave what is expected: both, high or
	// low. A series of which one rule says high and another low opens nothing.
	Direction Direction `mapstructure:"direction"`
	// MinChange is the least distance of observed from expected, in the unit of the series.
	MinChange float64 `mapstructure:"min_change"`
	// MinRelativeChange is the least distance as a share of the size of expected: 0.2 is 20 %.
	MinRelativeChange float64 `mapstructure:"min_relative_change"`
	// MinDuration is how long the score must stay at or above 1 before an anomaly opens.
	MinDuration time.Duration `mapstructure:"min_duration"`
	// DryRun has the series judged, scored and shown, while it opens no anomaly.
	DryRun bool `mapstructure:"dry_run"`
	// Maintenance lists windows in which the series opens no anomaly.
	Maintenance []Maintenance `mapstructure:"maintenance"`
}

// Maintenance is a window that comes again and again, in event time.
type Maintenance struct {
	// Cron says when it begins: minute, hour, day of month, month, day of week, as
	// in "0 2 * * 0". Where a change of the clock skips its time, it begins when it
	// would have without the change; in an hour that comes twice it begins twice.
	Cron string `mapstructure:"cron"`
	// Duration is how long it lasts.
	Duration time.Duration `mapstructure:"duration"`
	// Zone is the time zone of Cron by its IANA name, as in Europe/Berlin. Empty is UTC.
	Zone string `mapstructure:"zone"`
}

// Validate returns an error that names every key that is wrong.
func (r *Rule) Validate() error {
	_, err := r.compile(component.TelemetrySettings{Logger: zap.NewNop()})
	return err
}

// compiled is a rule that is ready for use.
type compiled struct {
	*Rule
	condition *condition // nil if the rule holds for every series
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
		errs = append(errs, fmt.Errorf("direction is %q, it must be both, high or low", r.Direction))
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
