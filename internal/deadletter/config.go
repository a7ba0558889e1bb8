// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package deadletter

import (
	"fmt"

	"go.opentelemetry.io/collector/confmap"
)

const (
	defaultMaxBytes = 256 << 20
	// minMaxBytes has room for one letter of any component without its payload.
	minMaxBytes = 16 << 10
)

// Config is the section dead_letter of a component.
type Config struct {
	// Directory contains one folder for each component. If empty, the component writes no dead
	// letters.
	Directory string `mapstructure:"directory"`
	// MaxBytes bounds the component's folder. Above it, the oldest letters are discarded.
	MaxBytes int64 `mapstructure:"max_bytes"`

	// prevent unkeyed literal initialization
	_ struct{}
}

var _ confmap.Validator = (*Config)(nil)

// NewDefaultConfig returns a configuration without dead letters.
func NewDefaultConfig() Config { return Config{MaxBytes: defaultMaxBytes} }

// Validate returns an error if MaxBytes has no room for a letter.
func (c *Config) Validate() error {
	if c.MaxBytes < minMaxBytes {
		return fmt.Errorf("max_bytes: is %d, it must be at least %d", c.MaxBytes, minMaxBytes)
	}
	return nil
}
