// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package elasticsearchbulkreceiver

import (
	"errors"
	"fmt"
	"regexp"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/confmap"
)

// Config is the configuration of the elasticsearch_bulk receiver.
type Config struct {
	// ServerConfig is the HTTP server: endpoint, tls, auth, max_request_body_size, time-outs and so on.
	// read_timeout is how long a client may take to send a request; time that the pipeline takes does not count.
	ServerConfig confighttp.ServerConfig `mapstructure:",squash"`
	// Version is the version of Elasticsearch that clients are told. Beats want one that is not older than they are.
	Version string `mapstructure:"version"`
	// MaxRequests is how many requests to _bulk are served at once. One more is answered with 429.
	MaxRequests int `mapstructure:"max_requests"`
	// MaxRequestsPerClient is how many of them one address may have.
	MaxRequestsPerClient int `mapstructure:"max_requests_per_client"`
	// RetryAfter is what a client is told to wait after 429 and 503.
	RetryAfter time.Duration `mapstructure:"retry_after"`
	// Part bounds what is given to the pipeline at once.
	Part PartConfig `mapstructure:"part"`
	// Limits bound what a request may have, beside max_request_body_size.
	Limits LimitsConfig `mapstructure:"limits"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// PartConfig bounds what is given to the pipeline at once. A larger request is given in parts.
type PartConfig struct {
	// Events is the most events of a part.
	Events int `mapstructure:"events"`
	// Bytes ends a part as soon as its events are so many bytes, as they were sent.
	Bytes int `mapstructure:"bytes"`
}

// LimitsConfig bounds what a request may have.
type LimitsConfig struct {
	// EventBytes is the most bytes of one document. A larger one is refused, and the others of its request are not.
	EventBytes int `mapstructure:"event_bytes"`
	// Items is the most items of a request.
	Items int `mapstructure:"items"`
	// Depth is how deep the objects and lists of a document may be nested.
	Depth int `mapstructure:"depth"`
}

var (
	_ component.Config  = (*Config)(nil)
	_ confmap.Validator = (*Config)(nil)
)

func createDefaultConfig() component.Config {
	server := confighttp.NewDefaultServerConfig()
	server.NetAddr.Endpoint = "localhost:9200"
	server.MaxRequestBodySize = 100 << 20
	server.ReadTimeout = 30 * time.Second
	server.ReadHeaderTimeout = 10 * time.Second
	server.IdleTimeout = 5 * time.Minute
	// The pipeline may take its time; the answer has a deadline of its own.
	server.WriteTimeout = 0
	return &Config{
		ServerConfig:         server,
		Version:              "9.5.3",
		MaxRequests:          128,
		MaxRequestsPerClient: 64,
		RetryAfter:           time.Second,
		Part:                 PartConfig{Events: 10_000, Bytes: 8 << 20},
		Limits:               LimitsConfig{EventBytes: 10 << 20, Items: 1_000_000, Depth: 32},
	}
}

var versions = regexp.MustCompile(`^\d+\.\d+\.\d+$`)

// Validate names every key that is out of its range.
func (c *Config) Validate() error {
	var errs []error
	if c.ServerConfig.NetAddr.Endpoint == "" {
		errs = append(errs, errors.New("endpoint: is empty, it must be host:port, as in localhost:9200, or the path of a socket"))
	}
	if c.ServerConfig.WriteTimeout != 0 {
		errs = append(errs, errors.New("write_timeout: would cut off answers that the pipeline is still working for, remove the key"))
	}
	if !versions.MatchString(c.Version) {
		errs = append(errs, fmt.Errorf("version: is %q, it must be three numbers, as in 9.5.3", c.Version))
	}
	for _, d := range []struct {
		key   string
		value time.Duration
	}{{"read_timeout", c.ServerConfig.ReadTimeout}, {"read_header_timeout", c.ServerConfig.ReadHeaderTimeout}, {"retry_after", c.RetryAfter}} {
		if d.value <= 0 {
			errs = append(errs, fmt.Errorf("%s: is %v, it must be above 0", d.key, d.value))
		}
	}
	for _, n := range []struct {
		key   string
		value int64
	}{
		{"max_request_body_size", c.ServerConfig.MaxRequestBodySize},
		{"max_requests", int64(c.MaxRequests)},
		{"max_requests_per_client", int64(c.MaxRequestsPerClient)},
		{"part::events", int64(c.Part.Events)},
		{"part::bytes", int64(c.Part.Bytes)},
		{"limits::event_bytes", int64(c.Limits.EventBytes)},
		{"limits::items", int64(c.Limits.Items)},
		{"limits::depth", int64(c.Limits.Depth)},
	} {
		if n.value < 1 {
			errs = append(errs, fmt.Errorf("%s: is %d, it must be at least 1", n.key, n.value))
		}
	}
	return errors.Join(errs...)
}
