// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package auspexprovider

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"go.opentelemetry.io/collector/confmap"

	"github.com/auspex-otel/auspex/distro/config"
)

const (
	scheme = "auspex"
	// state is the name under which the state folder is served.
	state = "state"
	// systemState is the state folder of a process without a home folder, such as a service.
	systemState = "/var/lib/auspex"
)

type provider struct{}

// NewFactory returns the factory of the provider.
func NewFactory() confmap.ProviderFactory {
	return confmap.NewProviderFactory(func(confmap.ProviderSettings) confmap.Provider {
		return provider{}
	})
}

// Scheme returns auspex.
func (provider) Scheme() string { return scheme }

// Retrieve returns a shipped configuration, the state folder, or settings that the environment defines.
func (provider) Retrieve(_ context.Context, uri string, _ confmap.WatcherFunc) (*confmap.Retrieved, error) {
	name, ok := strings.CutPrefix(uri, scheme+":")
	if !ok {
		return nil, fmt.Errorf("%q uri is not supported by %q provider", uri, scheme)
	}
	if name == state {
		return confmap.NewRetrieved(StateDir())
	}
	if value, ok, err := settings(name); ok {
		return value, err
	}
	text, ok := config.Read(name)
	if !ok {
		return nil, fmt.Errorf("unknown configuration %q: the shipped configurations are %s:%s, and ${%s:%s} is the state folder",
			uri, scheme, strings.Join(config.Names(), ", "+scheme+":"), scheme, state)
	}
	return confmap.NewRetrievedFromYAML(text)
}

// OnShutdown is called when the collector begins to shut down. The program sets it before it creates the provider,
// because the builder's main has no other hook.
var OnShutdown = func() {}

// Shutdown calls OnShutdown. The provider has no other resources.
func (provider) Shutdown(context.Context) error {
	OnShutdown()
	return nil
}

// StateDir returns the folder of ${auspex:state}.
func StateDir() string {
	if dir := os.Getenv("AUSPEX_STATE_DIR"); dir != "" {
		return dir
	}
	// According to the XDG specification, relative paths are ignored.
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "auspex")
	}
	if home, err := os.UserHomeDir(); err == nil && filepath.IsAbs(home) {
		return filepath.Join(home, ".local", "state", "auspex")
	}
	return systemState
}
