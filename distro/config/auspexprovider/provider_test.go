// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package auspexprovider

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"

	"github.com/auspex-otel/auspex/distro/config"
)

func retrieve(t *testing.T, uri string) (*confmap.Retrieved, error) {
	t.Helper()
	p := NewFactory().Create(confmap.ProviderSettings{})
	t.Cleanup(func() { require.NoError(t, p.Shutdown(t.Context())) })
	return p.Retrieve(t.Context(), uri, nil)
}

func TestServesEveryShippedConfig(t *testing.T) {
	for _, name := range config.Names() {
		r, err := retrieve(t, "auspex:"+name)
		require.NoError(t, err)
		conf, err := r.AsConf()
		require.NoError(t, err)
		assert.True(t, conf.IsSet("service::pipelines"), name)
	}
}

func TestUnknownNameSaysWhatThereIs(t *testing.T) {
	_, err := retrieve(t, "auspex:gatway")
	require.ErrorContains(t, err, `unknown configuration "auspex:gatway"`)
	for _, name := range config.Names() {
		require.ErrorContains(t, err, "auspex:"+name)
	}
	require.ErrorContains(t, err, "${auspex:state}")
}

func TestForeignScheme(t *testing.T) {
	_, err := retrieve(t, "file:default")
	require.Error(t, err)
}

func TestStateDir(t *testing.T) {
	abs := t.TempDir()
	for _, test := range []struct {
		name           string
		own, xdg, home string
		want           string
	}{
		{"own folder first", abs, "/xdg", "/home/a", abs},
		{"then XDG", "", abs, "/home/a", filepath.Join(abs, "auspex")},
		{"a relative XDG folder does not count", "", "xdg", abs, filepath.Join(abs, ".local", "state", "auspex")},
		{"then home", "", "", abs, filepath.Join(abs, ".local", "state", "auspex")},
		{"no home", "", "", "", systemState},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("AUSPEX_STATE_DIR", test.own)
			t.Setenv("XDG_STATE_HOME", test.xdg)
			t.Setenv("HOME", test.home)
			t.Setenv("USERPROFILE", test.home)
			assert.Equal(t, test.want, StateDir())
			r, err := retrieve(t, "auspex:state")
			require.NoError(t, err)
			got, err := r.AsString()
			require.NoError(t, err)
			assert.Equal(t, test.want, got)
		})
	}
}

func TestShutdownIsReported(t *testing.T) {
	before := OnShutdown
	t.Cleanup(func() { OnShutdown = before })
	calls := 0
	OnShutdown = func() { calls++ }
	p := NewFactory().Create(confmap.ProviderSettings{})
	_, err := p.Retrieve(t.Context(), "auspex:default", nil)
	require.NoError(t, err)
	assert.Zero(t, calls)
	require.NoError(t, p.Shutdown(t.Context()))
	assert.Equal(t, 1, calls)
}

func TestServersAreSecuredByTheEnvironment(t *testing.T) {
	raw := func(name string) any {
		r, err := retrieve(t, "auspex:"+name)
		require.NoError(t, err, name)
		v, err := r.AsRaw()
		require.NoError(t, err)
		return v
	}
	fails := func(name string) string {
		_, err := retrieve(t, "auspex:"+name)
		require.Error(t, err)
		return err.Error()
	}
	assert.Nil(t, raw("server_tls"))
	assert.Nil(t, raw("server_auth"))
	idle := raw("bearer_auth").(map[string]any)["token"].(string)
	assert.Greater(t, len(idle), 20)
	assert.NotEqual(t, idle, raw("bearer_auth").(map[string]any)["token"], "the token of the idle extension is random")
	assert.Contains(t, raw("basic_auth").(map[string]any)["htpasswd"], "inline")

	t.Setenv("AUSPEX_TLS_CERT", "c.pem")
	assert.Contains(t, fails("server_tls"), "AUSPEX_TLS_CERT and AUSPEX_TLS_KEY must both be set")
	t.Setenv("AUSPEX_TLS_KEY", "k.pem")
	assert.Equal(t, map[string]any{"cert_file": "c.pem", "key_file": "k.pem"}, raw("server_tls"))
	t.Setenv("AUSPEX_TLS_CLIENT_CA", "ca.pem")
	assert.Equal(t, map[string]any{"cert_file": "c.pem", "key_file": "k.pem", "client_ca_file": "ca.pem"}, raw("server_tls"))

	t.Setenv("AUSPEX_BEARER_TOKEN", "abc")
	assert.Equal(t, map[string]any{"authenticator": "bearertokenauth/clients"}, raw("server_auth"))
	assert.Equal(t, map[string]any{"token": "abc"}, raw("bearer_auth"))
	t.Setenv("AUSPEX_HTPASSWD", "users")
	assert.Contains(t, fails("server_auth"), "AUSPEX_BEARER_TOKEN and AUSPEX_HTPASSWD are both set")
	t.Setenv("AUSPEX_BEARER_TOKEN", "")
	assert.Equal(t, map[string]any{"authenticator": "basicauth/clients"}, raw("server_auth"))
	assert.Equal(t, map[string]any{"htpasswd": map[string]any{"file": "users"}}, raw("basic_auth"))
}

func TestKafkaSettings(t *testing.T) {
	raw := func(name string) (any, error) {
		r, err := retrieve(t, "auspex:"+name)
		if err != nil {
			return nil, err
		}
		return r.AsRaw()
	}
	host, err := os.Hostname()
	require.NoError(t, err)
	t.Setenv("AUSPEX_INSTANCE", "")
	assertRaw := func(want any, name string) {
		t.Helper()
		got, err := raw(name)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	assertRaw(host, "instance")
	t.Setenv("AUSPEX_INSTANCE", "gateway-1")
	assertRaw("gateway-1", "instance")

	assertRaw(nil, "kafka_auth")
	t.Setenv("AUSPEX_KAFKA_USERNAME", "ann")
	_, err = raw("kafka_auth")
	require.ErrorContains(t, err, "AUSPEX_KAFKA_USERNAME and AUSPEX_KAFKA_PASSWORD must both be set")
	t.Setenv("AUSPEX_KAFKA_PASSWORD", "secret")
	assertRaw(map[string]any{"sasl": map[string]any{"username": "ann", "password": "secret", "mechanism": "SCRAM-SHA-512"}}, "kafka_auth")
	t.Setenv("AUSPEX_KAFKA_MECHANISM", "PLAIN")
	assertRaw(map[string]any{"sasl": map[string]any{"username": "ann", "password": "secret", "mechanism": "PLAIN"}}, "kafka_auth")
}
