// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/envprovider"
	"go.uber.org/zap"

	"github.com/auspex-otel/auspex/distro/config"
	"github.com/auspex-otel/auspex/distro/config/auspexprovider"
	"github.com/auspex-otel/auspex/internal/conftree"
)

func parse(t *testing.T, text string) *confmap.Conf {
	t.Helper()
	r, err := confmap.NewRetrievedFromYAML([]byte(text))
	require.NoError(t, err)
	conf, err := r.AsConf()
	require.NoError(t, err)
	return conf
}

func TestConvert(t *testing.T) {
	const machine = "extensions: {request_limiter: {limit_mib: 2048}}, "
	for name, test := range map[string]struct{ before, after string }{
		"no limiter": {
			"{receivers: {otlp: {protocols: {grpc: , http: {endpoint: 'localhost:1'}}}}, service: {extensions: [pprof]}}",
			"{" + machine + "receivers: {otlp: {protocols: {grpc: {middlewares: [{id: request_limiter}]}, http: {endpoint: 'localhost:1', middlewares: [{id: request_limiter}]}}}}, service: {extensions: [pprof, request_limiter]}}",
		},
		"no extensions": {
			"{receivers: {otlp/a: {protocols: {grpc: }}}}",
			"{" + machine + "receivers: {otlp/a: {protocols: {grpc: {middlewares: [{id: request_limiter}]}}}}, service: {extensions: [request_limiter]}}",
		},
		"limit of the memory limiter": {
			"{receivers: {otlp: {protocols: {grpc: }}}, processors: {memory_limiter: {limit_mib: 300}}}",
			"{extensions: {request_limiter: {limit_mib: 300}}, receivers: {otlp: {protocols: {grpc: {middlewares: [{id: request_limiter}]}}}}, processors: {memory_limiter: {limit_mib: 300}}, service: {extensions: [request_limiter]}}",
		},
		"a limiter of the user": {
			"{extensions: {request_limiter/own: {limit_mib: 100}}, receivers: {otlp: {protocols: {grpc: }}}, service: {extensions: [request_limiter/own]}}",
			"{extensions: {request_limiter/own: {limit_mib: 100}}, receivers: {otlp: {protocols: {grpc: {middlewares: [{id: request_limiter/own}]}}}}, service: {extensions: [request_limiter/own]}}",
		},
		"middlewares of the user": {
			"{receivers: {otlp: {protocols: {grpc: {middlewares: []}, http: {middlewares: [{id: own}]}}}}}",
			"{receivers: {otlp: {protocols: {grpc: {middlewares: []}, http: {middlewares: [{id: own}]}}}}}",
		},
		"no OTLP receiver": {"{receivers: {zipkin: , otlpjsonfile: }}", "{receivers: {zipkin: , otlpjsonfile: }}"},
	} {
		t.Run(name, func(t *testing.T) {
			conf := parse(t, test.before)
			c := converter{logger: zap.NewNop(), root: fstest.MapFS{"proc/meminfo": {Data: []byte("MemTotal: 2097152 kB\n")}}}
			require.NoError(t, c.Convert(t.Context(), conf))
			assert.Equal(t, parse(t, test.after).ToStringMap(), conf.ToStringMap())
		})
	}
}

func TestShippedConfigurationsStateTheirs(t *testing.T) {
	t.Setenv("AUSPEX_INSECURE_LISTEN", "true")
	for _, name := range config.Names() {
		r, err := confmap.NewResolver(confmap.ResolverSettings{
			URIs:              []string{"auspex:" + name},
			ProviderFactories: []confmap.ProviderFactory{auspexprovider.NewFactory(), envprovider.NewFactory()},
		})
		require.NoError(t, err)
		conf, err := r.Resolve(t.Context())
		require.NoError(t, err)
		assert.Empty(t, unprotected(conftree.Section(conf.ToStringMap(), "receivers")), name)
	}
}
