// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"errors"
	"fmt"
	"time"

	"github.com/auspex-otel/auspex/internal/detect/ensemble"
	"github.com/auspex-otel/auspex/internal/detect/season"
	"github.com/auspex-otel/auspex/internal/engine/budget"
	"github.com/auspex-otel/auspex/internal/engine/meter"
	"github.com/auspex-otel/auspex/internal/mask"
	"github.com/auspex-otel/auspex/internal/policy"
	"github.com/auspex-otel/auspex/internal/template"
)

// Config is the engine's configuration. The extension anomaly_engine reads it.
type Config struct {
	// FalseAlarms is the budget of anomalies that may open although nothing is wrong.
	FalseAlarms budget.FalseAlarms `mapstructure:"false_alarms"`
	// Schedule replaces what the engine would learn about false alarms of its series by what a collector has published,
	// or is nil.
	Schedule *budget.Schedule `mapstructure:"-"`
	// MaxSeries bounds the series that are watched at once, see internal/series for what
	// gives way. Telemetry still passes.
	MaxSeries int `mapstructure:"max_series"`
	// TimeZone is the IANA name of the zone of daily and weekly seasons, which follow its
	// daylight saving. Empty is UTC.
	TimeZone string `mapstructure:"time_zone"`
	// AcceptAfter is the time after which a new level of a series becomes normal, which
	// closes its anomaly. It takes at least 20 points of the series.
	AcceptAfter time.Duration `mapstructure:"accept_after"`
	// SeriesTTL is the time without points after which a series is forgotten. A series with
	// rare points, or with a single one, is kept for longer (pace.TimeToLive).
	SeriesTTL time.Duration `mapstructure:"series_ttl"`
	// Policies say which changes matter, how long they must last, and when
	// nothing is to open. The owner of the engine compiles them, see SetPolicies.
	Policies []policy.Rule `mapstructure:"policies"`
	// Logs says how log lines are read.
	Logs Logs `mapstructure:"logs"`
}

// Logs says how log lines are read.
type Logs struct {
	// Mask are regular expressions of what is to be hidden before anything of a
	// line is kept, beside payment cards, secrets and e-mail addresses.
	Mask []string `mapstructure:"mask"`
	// Examples has the first line of a template kept and shown with it. Without
	// it, only templates are.
	Examples bool `mapstructure:"examples"`
}

// DefaultConfig returns five false alarms a day, up to 100,000 series, forgotten after a day of silence.
func DefaultConfig() Config {
	return Config{
		FalseAlarms: budget.FalseAlarms{Count: 5, Per: 24 * time.Hour, Replicas: 1, MaxAlpha: 1e-3},
		MaxSeries:   100_000,
		AcceptAfter: ensemble.DefaultAccept,
		SeriesTTL:   24 * time.Hour,
		Logs:        Logs{Examples: true},
	}
}

// Validate returns an error that names every key out of its range.
func (c *Config) Validate() error {
	var errs []error
	if err := c.FalseAlarms.Check(); err != nil {
		errs = append(errs, err)
	}
	if _, err := time.LoadLocation(c.TimeZone); err != nil {
		errs = append(errs, fmt.Errorf("time_zone is %q: %w", c.TimeZone, err))
	}
	if c.MaxSeries < meter.MostSamples {
		errs = append(errs, fmt.Errorf("max_series is %d, it must be at least %d, which is one histogram", c.MaxSeries, meter.MostSamples))
	}
	if _, err := mask.New(c.Logs.Mask); err != nil {
		errs = append(errs, fmt.Errorf("logs::mask: %w", err))
	}
	if c.AcceptAfter < time.Minute {
		errs = append(errs, fmt.Errorf("accept_after is %v, it must be at least 1m", c.AcceptAfter))
	}
	if c.SeriesTTL < time.Minute {
		errs = append(errs, fmt.Errorf("series_ttl is %v, it must be at least 1m", c.SeriesTTL))
	}
	return errors.Join(errs...)
}

// miner returns a miner of templates that hides what is to be hidden. Validate has checked the expressions.
func (c *Config) miner() *template.Miner {
	cfg := template.DefaultConfig()
	masker, err := mask.New(c.Logs.Mask)
	if err != nil {
		masker = mask.Default()
	}
	cfg.Mask, cfg.NoExamples = masker, !c.Logs.Examples
	return template.New(cfg)
}

// zone returns the time zone, which Validate has checked.
func (c *Config) zone() *season.Zone {
	loc, err := time.LoadLocation(c.TimeZone)
	if err != nil {
		loc = time.UTC
	}
	return season.NewZone(loc)
}
