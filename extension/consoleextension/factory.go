// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package consoleextension

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/extension"

	"github.com/auspex-otel/auspex/extension/consoleextension/internal/metadata"
)

// defaultEndpoint can be reached from this machine only.
const defaultEndpoint = "127.0.0.1:8899"

// NewFactory returns the factory of the anomaly_console extension.
func NewFactory() extension.Factory {
	return extension.NewFactory(metadata.Type, createDefaultConfig, create, metadata.ExtensionStability)
}

func createDefaultConfig() component.Config {
	server := confighttp.NewDefaultServerConfig()
	server.NetAddr.Endpoint = defaultEndpoint
	return &Config{
		Server:     server,
		History:    HistoryConfig{MaxMiB: 64, MaxAge: 7 * 24 * time.Hour},
		MaxClients: 50,
	}
}

func create(_ context.Context, set extension.Settings, cfg component.Config) (extension.Extension, error) {
	return newConsole(cfg.(*Config), set), nil
}
