// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package prometheusremotewriteexporter

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

// TestReservedNamesLoseNothing gives every point attributes whose labels are reserved or invalid.
// All buckets, quantiles, and points are written.
func TestReservedNamesLoseNothing(t *testing.T) {
	for name, msg := range messages {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, nil)
			e := start(t, s.URL, with(message(msg), func(c *Config) { c.ResourceToTelemetry.Enabled = false }))
			md := everyKind()
			rm := md.ResourceMetrics().At(0)
			rm.Resource().Attributes().PutStr("service.instance.id", "i")
			rm.Resource().Attributes().PutStr("instance", "other")
			rm.Resource().Attributes().PutStr("", "nameless")
			rm.ScopeMetrics().At(0).Scope().SetName("web")
			rm.ScopeMetrics().At(0).Scope().Attributes().PutStr("a.b", "of the scope")
			labeler{}.walk(md, func(m pcommon.Map, _ func(string, pcommon.Value) bool) {
				if _, resource := m.Get("service.name"); resource {
					return
				}
				m.PutStr("le", "x")
				m.PutStr("quantile", "y")
				m.PutStr("", "empty")
				m.PutStr(".", "point")
				m.PutStr("job", "z")
				m.PutStr("instance", "i")
				m.PutStr("exported_job", "taken")
				m.PutStr("otel.scope.name", "n")
				m.PutStr("otel_scope_a_b", "own")
				m.PutStr("otel_scope_c", "kept")
			})
			require.NoError(t, e.ConsumeMetrics(t.Context(), md))
			const shared = `exported_="empty",exported_exported_job="z",exported_job="taken",`
			const scope = `exported_otel_scope_a_b="own",exported_otel_scope_name="n",`
			const rest = `otel_scope_a_b="of the scope",otel_scope_c="kept",otel_scope_name="web"`
			store := s.store()
			for series, v := range map[string]float64{
				`load{` + shared + scope + `instance="i",job="shop",key_="point",le="x",` + rest + `,quantile="y"}`:                                           7,
				`latency_seconds_bucket{` + shared + `exported_le="x",` + scope + `instance="i",job="shop",key_="point",le="0.1",` + rest + `,quantile="y"}`:  1,
				`latency_seconds_bucket{` + shared + `exported_le="x",` + scope + `instance="i",job="shop",key_="point",le="+Inf",` + rest + `,quantile="y"}`: 6,
				`pause{` + shared + scope + `exported_quantile="y",instance="i",job="shop",key_="point",le="x",` + rest + `,quantile="0.5"}`:                  .25,
				`target_info{exported_="nameless",exported_instance="other",instance="i",job="shop"}`:                                                         1,
			} {
				assert.Equal(t, []sample{{1000, v}}, store[series], series)
			}
			assert.Len(t, store, 12)
			assert.EqualValues(t, 12, e.counter(t, "sent_samples"))
			assert.Empty(t, e.log.FilterMessageSnippet("could not be written").All())
		})
	}
}

// TestOrdinaryNamesStay checks that metrics without reserved attributes are not copied.
func TestOrdinaryNamesStay(t *testing.T) {
	md := everyKind()
	rm := md.ResourceMetrics().At(0)
	rm.Resource().Attributes().PutStr("service.namespace", "eu")
	labeler{}.walk(md, func(m pcommon.Map, _ func(string, pcommon.Value) bool) {
		m.PutStr("job", "eu/shop") // equals the label
		m.PutStr("lease", "x")
		m.PutStr("otel_scope_name", "x") // there is no scope
	})
	assert.Equal(t, md, newLabeler(&Config{}).rename(md))
	rm.Resource().Attributes().PutStr("service.instance.id", "i")
	rm.Resource().Attributes().PutStr("instance", "other")
	assert.NotEqual(t, md, newLabeler(&Config{}).rename(md))
	_, stays := rm.Resource().Attributes().Get("instance")
	assert.True(t, stays, "the batch is not ours")
}
