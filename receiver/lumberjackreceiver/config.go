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

	"github.com/auspex-otel/auspex/internal/wire/lumberjack"
)

// Config is the configuration of the lumberjack receiver.
type Config struct {
	// NetAddr is where the receiver listens: endpoint and transport (tcp, tcp4, tcp6 or unix).
	NetAddr confignet.AddrConfig `mapstructure:",squash"`
	// TLS is the server's certificate; client_ca_file makes clients show theirs.
	TLS configoptional.Optional[configtls.ServerConfig] `mapstructure:"tls"`
	// MaxConnections is how many clients are served at once. One more is closed at once.
	MaxConnections int `mapstructure:"max_connections"`
	// MaxConnectionsPerClient is how many of them one address may have.
	MaxConnectionsPerClient int `mapstructure:"max_connections_per_client"`
	// IdleTimeout closes a connection on which no window begins for so long. 0: never.
	IdleTimeout time.Duration `mapstructure:"idle_timeout"`
	// ReadTimeout is how long a window may take to arrive, and a TLS handshake. Time that the pipeline takes does not count.
	ReadTimeout time.Duration `mapstructure:"read_timeout"`
	// KeepAlive is how often a client that waits for the pipeline is told that it is not forgotten.
	KeepAlive time.Duration `mapstructure:"keep_alive"`
	// Part bounds what is given to the pipeline at once.
	Part PartConfig `mapstructure:"part"`
	// Limits bound what a client may send.
	Limits LimitsConfig `mapstructure:"limits"`
	// DeadLetter is where events go that can never be delivered.
	DeadLetter DeadLetterConfig `mapstructure:"dead_letter"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// PartConfig bounds what is given to the pipeline at once. A larger window is given, and acknowledged, in parts.
type PartConfig struct {
	// Events is the most events of a part.
	Events int `mapstructure:"events"`
	// Bytes ends a part as soon as its events are so many bytes, as they were sent.
	Bytes int `mapstructure:"bytes"`
}

// LimitsConfig bounds what a client may send. Whoever exceeds a limit is disconnected.
type LimitsConfig struct {
	// WindowEvents is the most events of a window.
	WindowEvents int `mapstructure:"window_events"`
	// EventBytes is the most bytes of one event.
	EventBytes int `mapstructure:"event_bytes"`
	// Pairs is the most keys of an event of version 1.
	Pairs int `mapstructure:"pairs"`
	// CompressedBytes is the most bytes of a compressed frame.
	CompressedBytes int `mapstructure:"compressed_bytes"`
	// DecompressedBytes is the most bytes that a compressed frame may expand to.
	DecompressedBytes int `mapstructure:"decompressed_bytes"`
}

// DeadLetterConfig says where events go that the pipeline refuses for good.
type DeadLetterConfig struct {
	// Directory holds one folder for each component. Empty: no event is given up, its sender keeps it and sends it again.
	Directory string `mapstructure:"directory"`
	// MaxBytes is how large the file may become.
	MaxBytes int64 `mapstructure:"max_bytes"`
}

var (
	_ component.Config  = (*Config)(nil)
	_ confmap.Validator = (*Config)(nil)
)

func createDefaultConfig() component.Config {
	limits := lumberjack.DefaultLimits()
	addr := confignet.NewDefaultAddrConfig()
	addr.Endpoint, addr.Transport = "localhost:5044", confignet.TransportTypeTCP
	return &Config{
		NetAddr:                 addr,
		MaxConnections:          1000,
		MaxConnectionsPerClient: 500,
		IdleTimeout:             5 * time.Minute,
		ReadTimeout:             30 * time.Second,
		KeepAlive:               5 * time.Second,
		Part:                    PartConfig{Events: 2048, Bytes: 4 << 20},
		Limits: LimitsConfig{
			WindowEvents: limits.Window, EventBytes: limits.Event, Pairs: limits.Pairs,
			CompressedBytes: limits.Compressed, DecompressedBytes: limits.Decompressed,
		},
		DeadLetter: DeadLetterConfig{MaxBytes: 100 << 20},
	}
}

// Validate names every key that is out of its range.
func (c *Config) Validate() error {
	var errs []error
	if c.NetAddr.Endpoint == "" {
		errs = append(errs, errors.New("endpoint: is empty, it must be host:port, as in localhost:5044, or the path of a socket"))
	}
	switch c.NetAddr.Transport {
	case confignet.TransportTypeTCP, confignet.TransportTypeTCP4, confignet.TransportTypeTCP6, confignet.TransportTypeUnix:
	default:
		errs = append(errs, fmt.Errorf("transport: %q is not supported, use tcp, tcp4, tcp6 or unix", c.NetAddr.Transport))
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
	for _, n := range []struct {
		key   string
		value int64
	}{
		{"max_connections", int64(c.MaxConnections)},
		{"max_connections_per_client", int64(c.MaxConnectionsPerClient)},
		{"part::events", int64(c.Part.Events)},
		{"part::bytes", int64(c.Part.Bytes)},
		{"limits::window_events", int64(c.Limits.WindowEvents)},
		{"limits::event_bytes", int64(c.Limits.EventBytes)},
		{"limits::pairs", int64(c.Limits.Pairs)},
		{"limits::compressed_bytes", int64(c.Limits.CompressedBytes)},
		{"limits::decompressed_bytes", int64(c.Limits.DecompressedBytes)},
		{"dead_letter::max_bytes", c.DeadLetter.MaxBytes},
	} {
		if n.value < 1 {
			errs = append(errs, fmt.Errorf("%s: is %d, it must be at least 1", n.key, n.value))
		}
	}
	return errors.Join(errs...)
}

// limits are those of the codec.
func (c *LimitsConfig) limits() lumberjack.Limits {
	return lumberjack.Limits{
		Window: c.WindowEvents, Event: c.EventBytes, Pairs: c.Pairs,
		Compressed: c.CompressedBytes, Decompressed: c.DecompressedBytes, Nesting: lumberjack.DefaultLimits().Nesting,
	}
}
