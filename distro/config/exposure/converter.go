// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package exposure

import (
	"context"
	"errors"
	"fmt"
	"os"

	"go.opentelemetry.io/collector/confmap"
	"go.uber.org/zap"
)

// envInsecure permits servers without authentication.
const envInsecure = "AUSPEX_INSECURE_LISTEN"

type converter struct{ logger *zap.Logger }

// NewFactory returns the factory of the converter.
func NewFactory() confmap.ConverterFactory {
	return confmap.NewConverterFactory(func(set confmap.ConverterSettings) confmap.Converter {
		c := converter{logger: set.Logger}
		if c.logger == nil {
			c.logger = zap.NewNop()
		}
		return c
	})
}

// Convert does not change the configuration. It returns an error that names each exposed server, or logs them if
// AUSPEX_INSECURE_LISTEN is true.
func (c converter) Convert(_ context.Context, conf *confmap.Conf) error {
	insecure := os.Getenv(envInsecure)
	if insecure != "" && insecure != "true" && insecure != "false" {
		return fmt.Errorf("%s is %q; must be true or false", envInsecure, insecure)
	}
	var errs []error
	for _, s := range exposed(conf.ToStringMap()) {
		if insecure == "true" {
			c.logger.Warn("All clients that can reach this address are served without authentication", zap.String("key", s.key), zap.String("address", s.address))
			continue
		}
		errs = append(errs, s.err())
	}
	return errors.Join(errs...)
}

func (s server) err() error {
	remedy := "set auth, or tls::client_ca_file (AUSPEX_BEARER_TOKEN, AUSPEX_HTPASSWD, or AUSPEX_TLS_CLIENT_CA in a shipped configuration)"
	if !s.canAuthenticate {
		remedy = "this receiver has no authentication"
		if s.hasTLS {
			remedy = "set tls::client_ca_file (AUSPEX_TLS_CLIENT_CA in a shipped configuration)"
		}
	}
	return fmt.Errorf("%s: listens on %s, which other machines can reach, without authentication: %s, listen on 127.0.0.1, or set %s=true if you trust all clients that can reach it",
		s.key, s.address, remedy, envInsecure)
}
