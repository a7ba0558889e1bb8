// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package lumberjackreceiver

import (
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confignet"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configtls"
	"go.opentelemetry.io/collector/confmap"

	"github.com/auspex-otel/auspex/internal/deadletter"
	"github.com/auspex-otel/auspex/internal/receiverutil"
	"github.com/auspex-otel/auspex/internal/wire/bounds"
	"github.com/auspex-otel/auspex/internal/wire/lumberjack"
)

// Config is the configuration of the lumberjack receiver.
type Config struct {
	// NetAddr is the listen address: endpoint and transport (tcp, tcp4, tcp6, or unix).
	NetAddr confignet.AddrConfig `mapstructure:",squash"`
	// TLS configures the server's certificate. client_ca_file requires client certificates.
	TLS configoptional.Optional[configtls.ServerConfig] `mapstructure:"tls"`
	// MaxRequestBodySize bounds a compressed frame, in bytes before decompression.
	MaxRequestBodySize int `mapstructure:"max_request_body_size"`
	// IdleTimeout closes a connection on which no window begins for this time. 0 disables it.
	IdleTimeout time.Duration `mapstructure:"idle_timeout"`
	// ReadTimeout bounds the time to receive a window, and a TLS handshake. The time in the
	// pipeline does not count.
	ReadTimeout time.Duration `mapstructure:"read_timeout"`
	// KeepAlive is the interval of keep-alive acknowledgements to a client that waits for the
	// pipeline.
	KeepAlive time.Duration `mapstructure:"keep_alive"`
	// Chunk bounds the events that are passed to the pipeline and acknowledged together.
	Chunk receiverutil.Chunk `mapstructure:"chunk"`
	// Limits bounds what clients may send and do. An event above item_bytes, values, or depth
	// becomes a dead letter. A client that exceeds another limit is disconnected.
	Limits receiverutil.Limits `mapstructure:"limits"`
	// DeadLetter keeps events that can never be delivered. Without it they are not acknowledged,
	// and clients repeat them.
	DeadLetter deadletter.Config `mapstructure:"dead_letter"`

	// prevent unkeyed literal initialization
	_ struct{}
}

var (
	_ component.Config  = (*Config)(nil)
	_ confmap.Validator = (*Config)(nil)
)

func createDefaultConfig() component.Config {
	addr := confignet.NewDefaultAddrConfig()
	addr.Endpoint, addr.Transport = "localhost:5044", confignet.TransportTypeTCP
	return &Config{
		NetAddr:            addr,
		MaxRequestBodySize: lumberjack.DefaultLimits().Compressed,
		IdleTimeout:        5 * time.Minute,
		ReadTimeout:        30 * time.Second,
		KeepAlive:          5 * time.Second,
		Chunk:              receiverutil.Chunk{Items: 2048, Bytes: 4 << 20},
		Limits:             defaultLimits(),
		DeadLetter:         deadletter.NewDefaultConfig(),
	}
}

func defaultLimits() receiverutil.Limits {
	codec := lumberjack.DefaultLimits()
	return receiverutil.Limits{
		Concurrency: 1000, ConcurrencyPerClient: 500,
		MemoryBytes: 104 << 20, DecompressedBytes: codec.Decompressed,
		Items: codec.Window, ItemBytes: codec.Event, Fields: codec.Pairs, Values: 50_000, Depth: 64,
	}
}

// Validate returns an error for each key that is out of range.
func (c *Config) Validate() error {
	var errs []error
	if c.NetAddr.Endpoint == "" {
		errs = append(errs, errors.New("endpoint: is empty, it must be host:port, as in localhost:5044, or the path of a socket"))
	}
	switch c.NetAddr.Transport {
	case confignet.TransportTypeTCP, confignet.TransportTypeTCP4, confignet.TransportTypeTCP6, confignet.TransportTypeUnix:
	default:
		errs = append(errs, fmt.Errorf("transport: %q is not supported, use tcp, tcp4, tcp6, or unix", c.NetAddr.Transport))
	}
	if c.NetAddr.DialerConfig.Timeout != 0 {
		errs = append(errs, errors.New("dialer: a receiver does not dial, remove the key"))
	}
	if c.IdleTimeout < 0 {
		errs = append(errs, fmt.Errorf("idle_timeout: is %v, it must be 0 (never) or more", c.IdleTimeout))
	}
	for _, d := range []struct {
		key   string
		value time.Duration
	}{{"read_timeout", c.ReadTimeout}, {"keep_alive", c.KeepAlive}} {
		if d.value <= 0 {
			errs = append(errs, fmt.Errorf("%s: is %v, it must be above 0", d.key, d.value))
		}
	}
	if c.MaxRequestBodySize < 1 {
		errs = append(errs, fmt.Errorf("max_request_body_size: is %d, it must be at least 1", c.MaxRequestBodySize))
	}
	errs = append(errs, c.Chunk.Check(), c.Limits.Check(defaultLimits()), c.Limits.CheckMemory(c.largestEvent()))
	return errors.Join(errs...)
}

// largestEvent returns the memory in bytes that one event needs: as received, in the codec and
// for a dead letter, and decoded.
func (c *Config) largestEvent() int {
	return 2*c.Limits.ItemBytes + bounds.Cost(c.Limits.ItemBytes, c.Limits.Values)
}

// codecLimits returns the limits of the codec.
func (c *Config) codecLimits() lumberjack.Limits {
	return lumberjack.Limits{
		Window: c.Limits.Items, Event: c.Limits.ItemBytes, Pairs: c.Limits.Fields,
		Compressed: c.MaxRequestBodySize, Decompressed: c.Limits.DecompressedBytes, Nesting: lumberjack.DefaultLimits().Nesting,
	}
}
