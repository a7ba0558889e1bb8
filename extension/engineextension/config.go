// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engineextension

import (
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"

	"github.com/auspex-otel/auspex/internal/engine"
	"github.com/auspex-otel/auspex/internal/warmup"
)

// Config is the configuration of the anomaly engine.
type Config struct {
	// Engine holds the keys of the engine.
	Engine engine.Config `mapstructure:",squash"`
	// Storage names the storage extension for the state, such as file_storage/engine. Without it
	// the state is lost at shutdown.
	Storage *component.ID `mapstructure:"storage"`
	// SnapshotInterval is the interval between snapshots. A snapshot is also written at shutdown.
	SnapshotInterval time.Duration `mapstructure:"snapshot_interval"`
	// ScheduleFile receives the thresholds and calibration tables by which points are judged, for auspex backtest. It is
	// empty for none.
	ScheduleFile string `mapstructure:"schedule_file"`
	// MaxMemory bounds the memory of the engine's state. 0 means a quarter of the limit of the
	// memory limiter, else of the memory of the process.
	MaxMemory Bytes `mapstructure:"max_memory"`
	// Warmup configures the source of history at start. Without it every series starts cold.
	Warmup configoptional.Optional[warmup.Config] `mapstructure:"warmup"`
}

const leastMaxMemory = 1 << 20

// Validate checks the keys of the extension. The configurations of the engine, its policies, and
// the warm start validate themselves.
func (c *Config) Validate() error {
	var errs []error
	if c.SnapshotInterval < time.Second {
		errs = append(errs, fmt.Errorf("snapshot_interval is %v, it must be at least 1s", c.SnapshotInterval))
	}
	if c.MaxMemory != 0 && c.MaxMemory < leastMaxMemory {
		errs = append(errs, fmt.Errorf("max_memory is %d bytes, it must be 0 or at least 1MiB", c.MaxMemory))
	}
	return errors.Join(errs...)
}

func createDefaultConfig() component.Config {
	return &Config{Engine: engine.DefaultConfig(), SnapshotInterval: time.Minute, Warmup: configoptional.Default(warmup.DefaultConfig())}
}
