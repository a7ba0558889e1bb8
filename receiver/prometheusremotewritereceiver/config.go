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

	"github.com/auspex-otel/auspex/internal/wire/promwrite"
)

// Config is the configuration of the receiver. Its keys are those of contrib's receiver, which are those of an HTTP server, and limits.
type Config struct {
	// Server is the HTTP server: endpoint, tls, auth, max_request_body_size and so on.
	Server confighttp.ServerConfig `mapstructure:",squash"`
	// Limits bound what a client may send, and what is remembered of it.
	Limits LimitsConfig `mapstructure:"limits"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// LimitsConfig bounds what a client may send, and what is remembered of it. The size before decompression is max_request_body_size.
type LimitsConfig struct {
	// DecompressedBytes is the most bytes that a request may expand to.
	DecompressedBytes int `mapstructure:"decompressed_bytes"`
	// Points is the most samples, native histograms and exemplars of a request.
	Points int `mapstructure:"points"`
	// Labels is the most labels of a series.
	Labels int `mapstructure:"labels"`
	// LabelBytes is the most bytes of a label's name or value.
	LabelBytes int `mapstructure:"label_bytes"`
	// Buckets is the most buckets of a native histogram.
	Buckets int `mapstructure:"buckets"`
	// Requests is how many requests are worked on at once. Others wait.
	Requests int `mapstructure:"requests"`
	// RequestsPerClient is how many of these may be of one client.
	RequestsPerClient int `mapstructure:"requests_per_client"`
	// Wait is how long a request waits for its turn before its sender is asked to come again.
	Wait time.Duration `mapstructure:"wait"`
	// Remembered is how many targets, families, histograms and exemplars are remembered between requests, each.
	Remembered int `mapstructure:"remembered"`
}

var (
	_ component.Config  = (*Config)(nil)
	_ confmap.Validator = (*Config)(nil)
)

func createDefaultConfig() component.Config {
	server := confighttp.NewDefaultServerConfig()
	server.NetAddr.Endpoint = "localhost:9090"
	server.MaxRequestBodySize = 10 << 20
	// A client that sends a little now and then must not hold its place for ever.
	server.ReadHeaderTimeout = 10 * time.Second
	server.ReadTimeout = 30 * time.Second
	limits := promwrite.DefaultLimits()
	return &Config{
		Server: server,
		Limits: LimitsConfig{
			DecompressedBytes: 32 << 20, Points: limits.Points, Labels: limits.Labels, LabelBytes: limits.LabelBytes, Buckets: limits.Buckets,
			Requests: 64, RequestsPerClient: 16, Wait: 10 * time.Second, Remembered: 20_000,
		},
	}
}

// encoding is the only one that remote write knows.
const encoding = "snappy"

// Validate names every key that is out of its range.
func (c *Config) Validate() error {
	var errs []error
	if c.Server.NetAddr.Endpoint == "" {
		errs = append(errs, errors.New("endpoint: is empty, it must be host:port, as in localhost:9090"))
	}
	if c.Server.MaxRequestBodySize < 1 {
		errs = append(errs, fmt.Errorf("max_request_body_size: is %d, it must be at least 1", c.Server.MaxRequestBodySize))
	}
	if c.Server.ReadTimeout <= 0 {
		errs = append(errs, fmt.Errorf("read_timeout: is %v, it must be above 0: a client that stalls would hold its place for ever", c.Server.ReadTimeout))
	}
	for _, a := range c.Server.CompressionAlgorithms {
		if !slices.Contains([]string{"", encoding}, a) {
			errs = append(errs, fmt.Errorf("compression_algorithms: %q is not supported, remote write knows snappy only: remove the key", a))
		}
	}
	for _, n := range []struct {
		key   string
		value int64
	}{
		{"decompressed_bytes", int64(c.Limits.DecompressedBytes)},
		{"points", int64(c.Limits.Points)},
		{"labels", int64(c.Limits.Labels)},
		{"label_bytes", int64(c.Limits.LabelBytes)},
		{"buckets", int64(c.Limits.Buckets)},
		{"requests", int64(c.Limits.Requests)},
		{"requests_per_client", int64(c.Limits.RequestsPerClient)},
		{"wait", int64(c.Limits.Wait)},
		{"remembered", int64(c.Limits.Remembered)},
	} {
		if n.value < 1 {
			errs = append(errs, fmt.Errorf("limits::%s: is %d, it must be at least 1", n.key, n.value))
		}
	}
	return errors.Join(errs...)
}

// limits are those of the codec.
func (c *LimitsConfig) limits() promwrite.Limits {
	return promwrite.Limits{Points: c.Points, Labels: c.Labels, LabelBytes: c.LabelBytes, Buckets: c.Buckets}
}
