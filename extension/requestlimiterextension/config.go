// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package requestlimiterextension

import (
	"fmt"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
)

const (
	defaultLimitMiB = 512
	minLimitMiB     = 16
)

// Config is the configuration of the extension.
type Config struct {
	// LimitMiB is the memory limit of the process, like limit_mib of the memory_limiter
	// processor. Requests that are being read or processed may use a quarter of it, and one large
	// request up to half.
	LimitMiB int `mapstructure:"limit_mib"`

	// prevent unkeyed literal initialization
	_ struct{}
}

var (
	_ component.Config  = (*Config)(nil)
	_ confmap.Validator = (*Config)(nil)
)

func createDefaultConfig() component.Config { return &Config{LimitMiB: defaultLimitMiB} }

// Validate returns an error if the limit is out of range.
func (c *Config) Validate() error {
	if c.LimitMiB < minLimitMiB {
		return fmt.Errorf("limit_mib: is %d, it must be at least %d", c.LimitMiB, minLimitMiB)
	}
	return nil
}
