// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package findingsreceiver

import (
	"fmt"
	"time"

	"go.opentelemetry.io/collector/component"
)

// Config is the configuration of the findings receiver.
type Config struct {
	// GaugeInterval is the interval at which the gauges of each service are sent. Events are sent
	// within a second.
	GaugeInterval time.Duration `mapstructure:"gauge_interval"`
}

// Validate returns an error for each key that is out of range.
func (c *Config) Validate() error {
	if c.GaugeInterval < time.Second {
		return fmt.Errorf("gauge_interval is %v, it must be at least 1s", c.GaugeInterval)
	}
	return nil
}

func createDefaultConfig() component.Config {
	return &Config{GaugeInterval: 15 * time.Second}
}
