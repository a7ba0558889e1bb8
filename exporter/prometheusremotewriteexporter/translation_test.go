// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package prometheusremotewriteexporter

import (
	"math"
	"testing"

	"github.com/prometheus/prometheus/model/value"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// everyKind returns each kind of metric at one time, for comparison with its series.
func everyKind() pmetric.Metrics {
	md := gauges(1000, 7, "load")
	metrics := md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics()

	m := metrics.AppendEmpty()
	m.SetName("requests")
	m.SetEmptySum().SetIsMonotonic(true)
	m.Sum().SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	addPoint(m.Sum().DataPoints(), 1000, 0).SetIntValue(41)

	m = metrics.AppendEmpty()
	m.SetName("latency")
	m.SetUnit("s")
	m.SetEmptyHistogram().SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	h := m.Histogram().DataPoints().AppendEmpty()
	h.SetTimestamp(stamp(1000))
	h.ExplicitBounds().FromRaw([]float64{0.1, 1})
	h.BucketCounts().FromRaw([]uint64{1, 2, 3})
	h.SetCount(6)
	h.SetSum(4.5)

	m = metrics.AppendEmpty()
	m.SetName("size")
	m.SetEmptyExponentialHistogram().SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	x := m.ExponentialHistogram().DataPoints().AppendEmpty()
	x.SetTimestamp(stamp(1000))
	x.SetScale(2)
	x.Positive().BucketCounts().FromRaw([]uint64{1, 0, 4})
	x.SetCount(5)
	x.SetSum(9)

	m = metrics.AppendEmpty()
	m.SetName("pause")
	s := m.SetEmptySummary().DataPoints().AppendEmpty()
	s.SetTimestamp(stamp(1000))
	s.SetCount(3)
	s.SetSum(1.5)
	q := s.QuantileValues().AppendEmpty()
	q.SetQuantile(0.5)
	q.SetValue(0.25)
	return md
}

func TestEveryKindIsWritten(t *testing.T) {
	for name, msg := range messages {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, nil)
			e := start(t, s.URL, message(msg))
			require.NoError(t, e.ConsumeMetrics(t.Context(), everyKind()))
			at := func(v float64) []sample { return []sample{{1000, v}} }
			assert.Equal(t, map[string][]sample{
				`load{job="shop"}`:                            at(7),
				`requests_total{job="shop"}`:                  at(41),
				`latency_seconds_bucket{job="shop",le="0.1"}`: at(1), `latency_seconds_bucket{job="shop",le="1"}`: at(3),
				`latency_seconds_bucket{job="shop",le="+Inf"}`: at(6), `latency_seconds_count{job="shop"}`: at(6), `latency_seconds_sum{job="shop"}`: at(4.5),
				`size{job="shop"}`:        at(5),
				`pause_count{job="shop"}`: at(3), `pause_sum{job="shop"}`: at(1.5), `pause{job="shop",quantile="0.5"}`: at(0.25),
			}, s.store())
			assert.EqualValues(t, 11, e.counter(t, "sent_samples"))
		})
	}
}

func TestNamesAndLabels(t *testing.T) {
	s := newServer(t, nil)
	e := start(t, s.URL, func(c *Config) {
		c.Namespace = "acme"
		c.TranslationStrategy = escapeWithoutSuffixes
		c.ExternalLabels = map[string]string{"data.center": "north", "job": "never"}
	})
	md := everyKind()
	md.ResourceMetrics().At(0).Resource().Attributes().PutStr("host.name", "a")
	md.ResourceMetrics().At(0).ScopeMetrics().At(0).Scope().SetName("web")
	require.NoError(t, e.ConsumeMetrics(t.Context(), md))
	store := s.store()
	assert.Contains(t, store, `acme_requests{data_center="north",job="shop",otel_scope_name="web"}`)
	assert.Contains(t, store, `acme_target_info{data_center="north",host_name="a",job="shop"}`)

	e = start(t, s.URL, func(c *Config) { c.TargetInfo.Enabled, c.DisableScopeInfo = false, true })
	require.NoError(t, e.ConsumeMetrics(t.Context(), md))
	for series := range s.seen()[1].series {
		assert.NotContains(t, series, "target_info")
		assert.NotContains(t, series, "otel_scope")
	}
}

func TestMissingValueIsAStaleMarker(t *testing.T) {
	for name, msg := range messages {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, nil)
			e := start(t, s.URL, message(msg))
			md := gauges(1000, 7, "load")
			md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).Gauge().DataPoints().At(0).SetFlags(pmetric.DefaultDataPointFlags.WithNoRecordedValue(true))
			require.NoError(t, e.ConsumeMetrics(t.Context(), md))
			assert.Equal(t, value.StaleNaN, math.Float64bits(s.store()[`load{job="shop"}`][0].value))
			assert.Empty(t, e.log.FilterMessageSnippet("could not be written").All())
		})
	}
}

// twoHosts returns two resources that differ only in host.name.
func twoHosts() pmetric.Metrics {
	md := gauges(1000, 1, "load")
	md.ResourceMetrics().At(0).Resource().Attributes().PutStr("host.name", "a")
	gauges(1000, 2, "load").ResourceMetrics().At(0).CopyTo(md.ResourceMetrics().AppendEmpty())
	md.ResourceMetrics().At(1).Resource().Attributes().PutStr("host.name", "b")
	return md
}

func TestResourcesStayApartByChoice(t *testing.T) {
	for name, msg := range messages {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, nil)
			noTarget := func(c *Config) { c.TargetInfo.Enabled = false }
			e := start(t, s.URL, with(message(msg), noTarget, func(c *Config) { c.ResourceToTelemetry.Enabled = true }))
			assert.True(t, e.Capabilities().MutatesData)
			require.NoError(t, e.ConsumeMetrics(t.Context(), twoHosts()))
			assert.Equal(t, map[string][]sample{
				`load{host_name="a",job="shop",service_name="shop"}`: {{1000, 1}},
				`load{host_name="b",job="shop",service_name="shop"}`: {{1000, 2}},
			}, s.store())

			e = start(t, s.URL, with(message(msg), noTarget))
			assert.False(t, e.Capabilities().MutatesData)
			require.NoError(t, e.ConsumeMetrics(t.Context(), twoHosts()))
			assert.Equal(t, map[string][]sample{`load{job="shop"}`: {{1000, 1}}}, s.seen()[1].series, "the first of two, as Prometheus decides")
			assert.EqualValues(t, 1, e.counter(t, "untranslated_points", duplicateTimestamp))
			assert.Equal(t, 1, e.log.FilterMessageSnippet("resource_to_telemetry_conversion").Len())
		})
	}
}

func TestWhatCannotBeTranslatedIsCountedAndSaidOnce(t *testing.T) {
	for name, msg := range messages {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, nil)
			e := start(t, s.URL, message(msg))
			for range 2 {
				require.NoError(t, e.ConsumeMetrics(t.Context(), untranslatable()))
			}
			assert.Equal(t, map[string][]sample{`fine{job="shop"}`: {{1000, 7}, {1000, 7}}}, s.store())
			for reason, n := range map[string]int64{
				deltaTemporality: 3, noTemporality: 1, noType: 1, invalidName: 1, noTimestamp: 2, scaleTooLow: 1, invalidLabel: 2,
			} {
				assert.Equal(t, 2*n, e.counter(t, "untranslated_points", reason), reason)
				assert.Equal(t, 1, e.log.FilterMessageSnippet("reason "+reason).Len(), reason)
			}
			assert.Zero(t, e.counter(t, "untranslated_points", otherReason))
		})
	}
}

func untranslatable() pmetric.Metrics {
	md := gauges(1000, 7, "fine", "timeless", "timeless", "mangled", "mangled", "")
	metrics := md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics()
	for _, i := range []int{1, 2} {
		metrics.At(i).Gauge().DataPoints().At(0).SetTimestamp(0)
	}
	for _, i := range []int{3, 4} {
		dp := metrics.At(i).Gauge().DataPoints().At(0)
		dp.SetTimestamp(stamp(int64(1000 * i)))
		dp.Attributes().PutStr("user", "\xff\xfe")
	}
	sum := func(name string, temporality pmetric.AggregationTemporality, points int) {
		m := metrics.AppendEmpty()
		m.SetName(name)
		m.SetEmptySum().SetAggregationTemporality(temporality)
		for range points {
			addPoint(m.Sum().DataPoints(), 1000, 1)
		}
	}
	sum("delta", pmetric.AggregationTemporalityDelta, 3)
	sum("unsaid", pmetric.AggregationTemporalityUnspecified, 1)
	sum("no points", pmetric.AggregationTemporalityCumulative, 0)
	metrics.AppendEmpty().SetName("no type")
	m := metrics.AppendEmpty()
	m.SetName("coarse")
	m.SetEmptyExponentialHistogram().SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	dp := m.ExponentialHistogram().DataPoints().AppendEmpty()
	dp.SetTimestamp(stamp(1000))
	dp.SetScale(-5)
	return md
}

func TestExplicitHistogramsBecomeNativeByChoice(t *testing.T) {
	for name, msg := range messages {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, nil)
			e := start(t, s.URL, with(message(msg), func(c *Config) { c.ConvertExplicitHistogramsToNHCB = true }))
			require.NoError(t, e.ConsumeMetrics(t.Context(), everyKind()))
			assert.Equal(t, []sample{{1000, 6}}, s.store()[`latency_seconds{job="shop"}`])
			assert.NotContains(t, s.store(), `latency_seconds_count{job="shop"}`)
		})
	}
}
