// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package consoleextension

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confignet"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"

	"github.com/auspex-otel/auspex/extension/consoleextension/internal/metadata"
)

func TestConfig(t *testing.T) {
	all, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	for _, tt := range []struct {
		name      string
		endpoint  string
		transport confignet.TransportType
		wantErr   string
	}{
		{name: "", endpoint: "127.0.0.1:8899", transport: "tcp"},
		{name: "tls", endpoint: "0.0.0.0:8899", transport: "tcp"},
		{name: "socket", endpoint: "/run/auspex/console.sock", transport: "unix"},
		{name: "no_port", wantErr: `endpoint: "localhost" is not of the form host:port, as in 127.0.0.1:8899`},
		{name: "named_port", wantErr: `endpoint: "localhost:http" has the port "http", which is not a number from 0 to 65535`},
		{name: "no_socket", wantErr: "endpoint: is empty, but transport unix needs the path of a socket"},
		{name: "udp", wantErr: `transport: "udp" is not supported, use tcp, tcp4, tcp6 or unix`},
		{name: "cors", wantErr: "cors: not supported, since no foreign page may read the API: remove the key"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := createDefaultConfig().(*Config)
			sub, err := all.Sub(component.NewIDWithName(metadata.Type, tt.name).String())
			require.NoError(t, err)
			require.NoError(t, sub.Unmarshal(cfg))
			err = confmap.Validate(cfg)
			if tt.wantErr != "" {
				require.ErrorContains(t, err, tt.wantErr)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.endpoint, cfg.Server.NetAddr.Endpoint)
			assert.Equal(t, tt.transport, cfg.Server.NetAddr.Transport)
			assert.Equal(t, tt.name == "tls", cfg.Server.TLS.HasValue())
			assert.Equal(t, tt.name == "tls", cfg.Server.Auth.HasValue())
		})
	}
}

func TestUnknownKey(t *testing.T) {
	all, err := confmaptest.LoadConf(filepath.Join("testdata", "unknown_key.yaml"))
	require.NoError(t, err)
	assert.ErrorContains(t, all.Unmarshal(createDefaultConfig()), "enpoint")
}
