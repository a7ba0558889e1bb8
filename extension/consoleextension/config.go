// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package consoleextension

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/confignet"
	"go.opentelemetry.io/collector/confmap"
)

// Config is the configuration of the console.
type Config struct {
	// Server is the HTTP server: endpoint, tls, auth and so on. The endpoint is
	// 127.0.0.1:8899 unless set. cors is refused: no foreign page may read the API.
	Server confighttp.ServerConfig `mapstructure:",squash"`
	// Storage names the storage extension that keeps the chart history, as in
	// file_storage/engine. Without it the history ends with the collector.
	Storage *component.ID `mapstructure:"storage"`
	// History limits the chart history.
	History HistoryConfig `mapstructure:"history"`
	// Backtests names where the reports of auspex backtest are.
	Backtests BacktestsConfig `mapstructure:"backtests"`
	// MaxClients bounds the pages that are updated live at once. Further ones are answered with 503.
	MaxClients int `mapstructure:"max_clients"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// HistoryConfig limits the chart history.
type HistoryConfig struct {
	// MaxMiB bounds its memory, and about its size on disk.
	MaxMiB int `mapstructure:"max_mib"`
	// MaxAge bounds the age of points, in event time.
	MaxAge time.Duration `mapstructure:"max_age"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// BacktestsConfig names where the reports of auspex backtest are.
type BacktestsConfig struct {
	// Directory has a folder with a report.html for each backtest. Without it the console lists none.
	Directory string `mapstructure:"directory"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// Validate returns an error that names every key out of its range.
func (c *HistoryConfig) Validate() error {
	var errs []error
	if c.MaxMiB < 1 || c.MaxMiB > 16<<10 {
		errs = append(errs, fmt.Errorf("max_mib is %d, it must be from 1 to 16384", c.MaxMiB))
	}
	if c.MaxAge < time.Hour || c.MaxAge > 366*24*time.Hour {
		errs = append(errs, fmt.Errorf("max_age is %v, it must be from 1h to 8784h", c.MaxAge))
	}
	return errors.Join(errs...)
}

var (
	_ component.Config  = (*Config)(nil)
	_ confmap.Validator = (*Config)(nil)
)

// Validate tells what is wrong with the configuration.
func (c *Config) Validate() error {
	if c.Server.CORS.HasValue() {
		return errors.New("cors: not supported, since no foreign page may read the API: remove the key")
	}
	if c.MaxClients < 1 || c.MaxClients > 10_000 {
		return fmt.Errorf("max_clients is %d, it must be from 1 to 10000", c.MaxClients)
	}
	endpoint := c.Server.NetAddr.Endpoint
	switch t := c.Server.NetAddr.Transport; t {
	case confignet.TransportTypeTCP, confignet.TransportTypeTCP4, confignet.TransportTypeTCP6:
		return validateAddress(endpoint)
	case confignet.TransportTypeUnix:
		if endpoint == "" {
			return errors.New("endpoint: is empty, but transport unix needs the path of a socket")
		}
		return nil
	default:
		return fmt.Errorf("transport: %q is not supported, use tcp, tcp4, tcp6 or unix", t)
	}
}

func validateAddress(endpoint string) error {
	_, port, err := net.SplitHostPort(endpoint)
	if err != nil {
		return fmt.Errorf("endpoint: %q is not of the form host:port, as in %s", endpoint, defaultEndpoint)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return fmt.Errorf("endpoint: %q has the port %q, which is not a number from 0 to 65535", endpoint, port)
	}
	return nil
}
