// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package anomalyprocessor

import (
	"errors"
	"fmt"

	"go.opentelemetry.io/collector/component"

	"github.com/auspex-otel/auspex/internal/engine"
)

// Config is the configuration of the anomaly processor.
type Config struct {
	// Output configures the verdicts that are added to metrics.
	Output Output `mapstructure:"output"`
	// Logs configures the attributes of log records.
	Logs Logs `mapstructure:"logs"`
}

// Logs configures the attributes of log records.
type Logs struct {
	// Parameters adds the numbers in the line, in order.
	Parameters bool `mapstructure:"parameters"`
}

// Output configures the verdicts that are added to metrics.
type Output struct {
	// Select is anomalous (series from their first anomalous point until five points after the
	// anomaly closed), all, or none.
	Select engine.Select `mapstructure:"select"`
	// Band adds the gauges anomaly.lower and anomaly.upper, the bounds of the prediction
	// interval.
	Band bool `mapstructure:"band"`
	// MaxSeries bounds the anomalous series that have companions at the same time.
	MaxSeries int `mapstructure:"max_series"`
}

// Validate returns an error for each key that is out of range.
func (c *Config) Validate() error {
	var errs []error
	switch c.Output.Select {
	case engine.SelectAnomalous, engine.SelectAll, engine.SelectNone:
	default:
		errs = append(errs, fmt.Errorf("output::select is %q, it must be anomalous, all, or none", c.Output.Select))
	}
	if c.Output.MaxSeries < 1 {
		errs = append(errs, fmt.Errorf("output::max_series is %d, it must be at least 1; to write nothing set output::select to none", c.Output.MaxSeries))
	}
	return errors.Join(errs...)
}

func createDefaultConfig() component.Config {
	return &Config{Output: Output{Select: engine.SelectAnomalous, Band: true, MaxSeries: 1000}}
}
