// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engineextension

import (
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/component"

	"github.com/auspex-otel/auspex/internal/engine"
)

// Config is the configuration of the anomaly engine.
type Config struct {
	// Engine holds the keys of the engine itself.
	Engine engine.Config `mapstructure:",squash"`
	// Storage names the storage extension that keeps the state, as in
	// file_storage/engine. Without it the state ends with the collector.
	Storage *component.ID `mapstructure:"storage"`
	// SnapshotInterval is how often the state is written. It is written at shutdown too.
	SnapshotInterval time.Duration `mapstructure:"snapshot_interval"`
}

// Validate names every key that is out of its range.
func (c *Config) Validate() error {
	err := c.Engine.Validate()
	if c.SnapshotInterval < time.Second {
		err = errors.Join(err, fmt.Errorf("snapshot_interval is %v, it must be at least 1s", c.SnapshotInterval))
	}
	return err
}

func createDefaultConfig() component.Config {
	return &Config{Engine: engine.DefaultConfig(), SnapshotInterval: time.Minute}
}
