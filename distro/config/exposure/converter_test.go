// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package exposure

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/envprovider"
	"go.opentelemetry.io/collector/confmap/provider/yamlprovider"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/auspex-otel/auspex/distro/config"
	"github.com/auspex-otel/auspex/distro/config/auspexprovider"
)

// resolve resolves a configuration like the program does, in an environment.
func resolve(t *testing.T, uri string, env map[string]string) (*observer.ObservedLogs, error) {
	t.Helper()
	for name, value := range env {
		t.Setenv(name, value)
	}
	core, logs := observer.New(zap.WarnLevel)
	r, err := confmap.NewResolver(confmap.ResolverSettings{
		URIs:               []string{uri},
		ProviderFactories:  []confmap.ProviderFactory{auspexprovider.NewFactory(), envprovider.NewFactory(), yamlprovider.NewFactory()},
		ConverterFactories: []confmap.ConverterFactory{NewFactory()},
		ConverterSettings:  confmap.ConverterSettings{Logger: zap.New(core)},
	})
	require.NoError(t, err)
	_, err = r.Resolve(t.Context())
	return logs, err
}

// listening lists the shipped configurations that listen on all interfaces, with the keys of their servers.
var listening = map[string][]string{
	"gateway":               {"receivers::otlp::protocols::grpc::endpoint: listens on 0.0.0.0:4317", "receivers::otlp::protocols::http::endpoint: listens on 0.0.0.0:4318"},
	"gateway-tail-sampling": {"receivers::otlp::protocols::grpc::endpoint", "receivers::otlp::protocols::http::endpoint"},
	"load-balancer":         {"receivers::otlp::protocols::grpc::endpoint", "receivers::otlp::protocols::http::endpoint"},
	"logstash-replacement":  {"receivers::lumberjack::endpoint: listens on 0.0.0.0:5044"},
}

func TestShippedConfigs(t *testing.T) {
	certificate := map[string]string{"AUSPEX_TLS_CERT": "cert.pem", "AUSPEX_TLS_KEY": "key.pem"}
	for _, name := range config.Names() {
		uri := "auspex:" + name
		t.Run(name, func(t *testing.T) {
			_, err := resolve(t, uri, nil)
			if len(listening[name]) == 0 {
				require.NoError(t, err)
				return
			}
			for _, key := range listening[name] {
				require.ErrorContains(t, err, key)
			}
			require.ErrorContains(t, err, "AUSPEX_INSECURE_LISTEN=true")
			require.ErrorContains(t, err, "AUSPEX_TLS_CLIENT_CA")
			_, err = resolve(t, uri, certificate)
			require.ErrorContains(t, err, listening[name][0], "TLS alone lets everyone in")
			_, err = resolve(t, uri, map[string]string{"AUSPEX_TLS_CLIENT_CA": "ca.pem"})
			require.NoError(t, err, "mTLS")
		})
		t.Run(name+" that is insecure", func(t *testing.T) {
			logs, err := resolve(t, uri, map[string]string{"AUSPEX_INSECURE_LISTEN": "true"})
			require.NoError(t, err)
			assert.Equal(t, len(listening[name]), logs.Len())
		})
		for _, variable := range []string{"AUSPEX_BEARER_TOKEN", "AUSPEX_HTPASSWD"} {
			t.Run(name+" with "+variable, func(t *testing.T) {
				_, err := resolve(t, uri, map[string]string{variable: "x"})
				if name == "logstash-replacement" {
					require.ErrorContains(t, err, listening[name][0], "Lumberjack has certificates only")
					return
				}
				require.NoError(t, err)
			})
		}
	}
}

func TestInsecureMustBeABoolean(t *testing.T) {
	_, err := resolve(t, "auspex:default", map[string]string{"AUSPEX_INSECURE_LISTEN": "yes"})
	require.EqualError(t, err, `cannot convert the confmap.Conf: AUSPEX_INSECURE_LISTEN is "yes"; must be true or false`)
}

func TestServers(t *testing.T) {
	for name, c := range map[string]struct {
		conf string
		keys []string
	}{
		"all interfaces":            {"receivers: {zipkin: {endpoint: ':9411'}}", []string{"receivers::zipkin::endpoint"}},
		"an address of the machine": {"receivers: {zipkin: {endpoint: '10.0.0.7:9411'}}", []string{"receivers::zipkin::endpoint"}},
		"a name":                    {"receivers: {zipkin: {endpoint: 'gateway:9411'}}", []string{"receivers::zipkin::endpoint"}},
		"loopback":                  {"receivers: {zipkin: {endpoint: '127.0.0.7:9411'}, otlp: {protocols: {grpc: {endpoint: '[::1]:4317'}, http: {endpoint: 'localhost:4318'}}}}", nil},
		"defaults":                  {"receivers: {zipkin: , otlp: {protocols: {grpc: , http: }}}", nil},
		"with authentication":       {"receivers: {zipkin: {endpoint: ':9411', auth: {authenticator: basicauth}}}", nil},
		"with certificates":         {"receivers: {lumberjack: {endpoint: ':5044', tls: {client_ca_file: ca.pem}}}", nil},
		"TLS alone":                 {"receivers: {lumberjack: {endpoint: ':5044', tls: {cert_file: c.pem}}}", []string{"receivers::lumberjack::endpoint"}},
		"no address":                {"receivers: {zipkin: {endpoint: nonsense}}", nil},
		"a socket":                  {"receivers: {lumberjack: {endpoint: /run/l.sock, transport: unix}}", nil},
		"named instances":           {"receivers: {otlp/a: {protocols: {http: {endpoint: '0.0.0.0:1'}}}, otlp/b: {protocols: {grpc: {endpoint: ':2'}}}}", []string{"receivers::otlp/a::protocols::http::endpoint", "receivers::otlp/b::protocols::grpc::endpoint"}},
		"listen_address":            {"receivers: {syslog: {tcp: {listen_address: '0.0.0.0:54526'}}, udp_log: {listen_address: ':1'}}", []string{"receivers::syslog::tcp::listen_address", "receivers::udp_log::listen_address"}},
		"space in the id":           {"receivers: {'zipkin /a': {endpoint: ':9411'}}", []string{"receivers::zipkin /a::endpoint"}},
		"what is no server":         {"receivers: {redis: {endpoint: 'redis:6379'}, kubeletstats: {endpoint: 'node:10250'}}", nil},
	} {
		t.Run(name, func(t *testing.T) {
			conf, err := confmap.NewRetrievedFromYAML([]byte(c.conf))
			require.NoError(t, err)
			whole, err := conf.AsConf()
			require.NoError(t, err)
			all := whole.ToStringMap()
			var ids []any
			for id := range all["receivers"].(map[string]any) {
				ids = append(ids, id)
			}
			assert.Empty(t, exposed(all), "what no pipeline uses does not start")
			all["service"] = map[string]any{"pipelines": map[string]any{"logs": map[string]any{"receivers": ids}, "metrics": map[string]any{"receivers": ids}}}
			var keys []string
			for _, s := range exposed(all) {
				keys = append(keys, s.key)
			}
			assert.Equal(t, c.keys, keys)
		})
	}
}

func TestConsole(t *testing.T) {
	const uri = "yaml:{extensions: {anomaly_console: {endpoint: '0.0.0.0:8899'}}, service: {extensions: [anomaly_console]}}"
	_, err := resolve(t, uri, nil)
	require.ErrorContains(t, err, "extensions::anomaly_console::endpoint: listens on 0.0.0.0:8899, which other machines can reach, without authentication: set auth, or tls::client_ca_file")
}
