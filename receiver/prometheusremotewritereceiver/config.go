// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package prometheusremotewritereceiver

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/confmap"

	"github.com/auspex-otel/auspex/internal/receiverutil"
	"github.com/auspex-otel/auspex/internal/wire/promwrite"
)

// Config is the configuration of the receiver. It has the keys of contrib's receiver, which are
// those of an HTTP server, and limits.
type Config struct {
	// Server configures the HTTP server: endpoint, tls, auth, max_request_body_size, and so on.
	Server confighttp.ServerConfig `mapstructure:",squash"`
	// Limits bounds requests. max_request_body_size bounds the size before decompression.
	Limits receiverutil.Limits `mapstructure:"limits"`
	// Remembered bounds the targets, families, histograms, and exemplars that are remembered
	// between requests, each.
	Remembered int `mapstructure:"remembered"`

	// prevent unkeyed literal initialization
	_ struct{}
}

var (
	_ component.Config  = (*Config)(nil)
	_ confmap.Validator = (*Config)(nil)
)

func createDefaultConfig() component.Config {
	server := confighttp.NewDefaultServerConfig()
	server.NetAddr.Endpoint = "localhost:9090"
	server.MaxRequestBodySize = 10 << 20
	// A slow client must not keep its slot indefinitely.
	server.ReadHeaderTimeout = 10 * time.Second
	server.ReadTimeout = 30 * time.Second
	return &Config{Server: server, Limits: defaultLimits(), Remembered: 20_000}
}

func defaultLimits() receiverutil.Limits {
	codec := promwrite.DefaultLimits()
	return receiverutil.Limits{
		Concurrency: 64, ConcurrencyPerClient: 16, Wait: 10 * time.Second, MemoryBytes: 192 << 20, DecompressedBytes: 32 << 20,
		Items: codec.Points, Fields: codec.Labels, FieldBytes: codec.LabelBytes, Values: codec.Buckets,
	}
}

// encoding is the only encoding of remote write.
const encoding = "snappy"

// Validate returns an error for each key that is out of range.
func (c *Config) Validate() error {
	var errs []error
	if c.Server.NetAddr.Endpoint == "" {
		errs = append(errs, errors.New("endpoint: is empty, it must be host:port, as in localhost:9090"))
	}
	if c.Server.MaxRequestBodySize < 1 {
		errs = append(errs, fmt.Errorf("max_request_body_size: is %d, it must be at least 1", c.Server.MaxRequestBodySize))
	}
	if c.Server.ReadTimeout <= 0 {
		errs = append(errs, fmt.Errorf("read_timeout: is %v, it must be above 0: a stalled client would keep its slot indefinitely", c.Server.ReadTimeout))
	}
	for _, a := range c.Server.CompressionAlgorithms {
		if !slices.Contains([]string{"", encoding}, a) {
			errs = append(errs, fmt.Errorf("compression_algorithms: %q is not supported, remote write supports snappy only: remove the key", a))
		}
	}
	if c.Remembered < 1 {
		errs = append(errs, fmt.Errorf("remembered: is %d, it must be at least 1", c.Remembered))
	}
	errs = append(errs, c.Limits.Check(defaultLimits()), c.Limits.CheckMemory(c.largestText()))
	return errors.Join(errs...)
}

// largestText returns the memory in bytes of the largest request as received and of its strings.
// Its points need more, in proportion to their number.
func (c *Config) largestText() int {
	return 2*int(c.Server.MaxRequestBodySize) + textCopies*c.Limits.DecompressedBytes
}

// codecLimits returns the limits of the codec.
func (c *Config) codecLimits() promwrite.Limits {
	return promwrite.Limits{Points: c.Limits.Items, Labels: c.Limits.Fields, LabelBytes: c.Limits.FieldBytes, Buckets: c.Limits.Values}
}
