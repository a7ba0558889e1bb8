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

	"github.com/auspex-otel/auspex/internal/receiverutil"
	"github.com/auspex-otel/auspex/internal/wire/bounds"
)

// Config is the configuration of the elasticsearch_bulk receiver.
type Config struct {
	// ServerConfig configures the HTTP server: endpoint, tls, auth, max_request_body_size,
	// timeouts. read_timeout bounds the time in which a client sends a request. The time in the
	// pipeline does not count.
	ServerConfig confighttp.ServerConfig `mapstructure:",squash"`
	// Version is the Elasticsearch version that clients receive. Beats require a version that is
	// at least their own.
	Version string `mapstructure:"version"`
	// RetryAfter is the Retry-After value of responses with status 429 and 503.
	RetryAfter time.Duration `mapstructure:"retry_after"`
	// Chunk bounds the size of the batches that are passed to the pipeline.
	Chunk receiverutil.Chunk `mapstructure:"chunk"`
	// Limits bounds requests, in addition to max_request_body_size. An item above an item limit
	// is rejected without the other items of its request.
	Limits receiverutil.Limits `mapstructure:"limits"`

	// prevent unkeyed literal initialization
	_ struct{}
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
	// The pipeline may take longer. The answer has its own deadline.
	server.WriteTimeout = 0
	return &Config{
		ServerConfig: server,
		Version:      "9.5.3",
		RetryAfter:   time.Second,
		Chunk:        receiverutil.Chunk{Items: 10_000, Bytes: 8 << 20},
		Limits:       defaultLimits(),
	}
}

func defaultLimits() receiverutil.Limits {
	return receiverutil.Limits{Concurrency: 128, ConcurrencyPerClient: 64, MemoryBytes: 104 << 20, DecompressedBytes: 100 << 20, Items: 100_000, ItemBytes: 10 << 20, Values: 50_000, Depth: 32}
}

var versions = regexp.MustCompile(`^\d+\.\d+\.\d+$`)

// Validate returns an error for each key that is out of range.
func (c *Config) Validate() error {
	var errs []error
	if c.ServerConfig.NetAddr.Endpoint == "" {
		errs = append(errs, errors.New("endpoint: is empty, it must be host:port, as in localhost:9200, or the path of a socket"))
	}
	if c.ServerConfig.WriteTimeout != 0 {
		errs = append(errs, errors.New("write_timeout: is set, it would end requests that the pipeline is still processing: remove the key"))
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
	if c.ServerConfig.MaxRequestBodySize < 1 {
		errs = append(errs, fmt.Errorf("max_request_body_size: is %d, it must be at least 1", c.ServerConfig.MaxRequestBodySize))
	}
	errs = append(errs, c.Chunk.Check(), c.Limits.Check(defaultLimits()), c.Limits.CheckMemory(c.largestItem()))
	return errors.Join(errs...)
}

// largestItem returns the memory in bytes to read and decode one item, or to hold the results of
// the largest request, whichever is larger.
func (c *Config) largestItem() int {
	l := c.Limits
	return max(2*l.ItemBytes+bounds.Cost(l.ItemBytes, l.Values)+outcomeCost, l.Items*outcomeCost)
}
