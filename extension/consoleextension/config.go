// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package consoleextension

import (
	"errors"
	"fmt"
	"net"
	"strconv"

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

	// prevent unkeyed literal initialization
	_ struct{}
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
