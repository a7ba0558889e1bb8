// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package warmup

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/auspex-otel/auspex/internal/engine"
)

// origin returns a stream of an app with a scope and one attribute.
func origin(fill func(pmetric.Metric)) engine.Origin {
	o := engine.Origin{
		Resource: pcommon.NewResource(), Scope: pcommon.NewInstrumentationScope(), Metric: pmetric.NewMetric(), Attributes: pcommon.NewMap(),
	}
	o.Resource.Attributes().PutStr("service.name", "cart")
	o.Resource.Attributes().PutStr("service.namespace", "shop")
	o.Resource.Attributes().PutStr("service.instance.id", "i-1")
	o.Resource.Attributes().PutStr("host.name", "h")
	o.Scope.SetName("lib")
	o.Attributes.PutStr("http.route", "/")
	fill(o.Metric)
	return o
}

func gauge(m pmetric.Metric) {
	m.SetName("queue.length")
	m.SetUnit("By")
	m.SetEmptyGauge()
}

func counter(m pmetric.Metric) {
	m.SetName("orders")
	m.SetEmptySum().SetIsMonotonic(true)
}

func deltaCounter(m pmetric.Metric) {
	counter(m)
	m.Sum().SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
}

func upDown(m pmetric.Metric) {
	m.SetName("stock")
	m.SetEmptySum()
}

func histogram(m pmetric.Metric) {
	m.SetName("latency")
	m.SetUnit("s")
	m.SetEmptyHistogram()
}

func summary(m pmetric.Metric) {
	m.SetName("pause")
	m.SetUnit("s")
	m.SetEmptySummary()
}

func labeled(pairs ...string) map[string]string {
	m := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return m
}

// with returns base with additional labels.
func with(base map[string]string, pairs ...string) map[string]string {
	m := labeled(pairs...)
	for k, v := range base {
		if _, is := m[k]; !is {
			m[k] = v
		}
	}
	return m
}

// These are the labels of the app's streams in Prometheus for every form, written by hand.
var (
	plain     = labeled("job", "shop/cart", "instance", "i-1", "http_route", "/")
	scoped    = with(plain, "otel_scope_name", "lib")
	excluded  = with(plain, "host_name", "h")
	converted = with(plain, "host_name", "h", "service_name", "cart", "service_namespace", "shop", "service_instance_id", "i-1")
	most      = with(converted, "otel_scope_name", "lib")
)

// streamKey returns the key of the only stream of some series.
func streamKey(t *testing.T, p *Prometheus, list ...map[string]string) key {
	t.Helper()
	all := families(p, list, nil)
	require.Len(t, all, 1)
	require.Len(t, all[0].streams, 1)
	for k := range all[0].streams {
		return k
	}
	return 0
}

func TestLiveStreamsFindTheirSeries(t *testing.T) {
	p := DefaultConfig().Prometheus
	translator, err := newTranslator(&p)
	require.NoError(t, err)
	name := func(n string, l map[string]string) map[string]string { return with(l, "__name__", n) }
	for what, c := range map[string]struct {
		metric func(pmetric.Metric)
		series func(l map[string]string) []map[string]string
	}{
		"gauge": {gauge, func(l map[string]string) []map[string]string {
			return []map[string]string{name("queue_length_bytes", l)}
		}},
		"counter":           {counter, func(l map[string]string) []map[string]string { return []map[string]string{name("orders_total", l)} }},
		"delta counter":     {deltaCounter, func(l map[string]string) []map[string]string { return []map[string]string{name("orders_total", l)} }},
		"sum that may fall": {upDown, func(l map[string]string) []map[string]string { return []map[string]string{name("stock", l)} }},
		"histogram": {histogram, func(l map[string]string) []map[string]string {
			return []map[string]string{
				name("latency_seconds_bucket", with(l, "le", "1")), name("latency_seconds_bucket", with(l, "le", "+Inf")),
				name("latency_seconds_sum", l), name("latency_seconds_count", l),
			}
		}},
		"summary": {summary, func(l map[string]string) []map[string]string {
			return []map[string]string{name("pause_seconds", with(l, "quantile", "0.5")), name("pause_seconds_sum", l), name("pause_seconds_count", l)}
		}},
	} {
		keys := translator.keys(origin(c.metric))
		require.Len(t, keys, len(forms), what)
		for i, l := range []map[string]string{0: most, 1: converted, 4: scoped, 5: plain, 3: excluded, 2: with(excluded, "otel_scope_name", "lib")} {
			assert.Equal(t, keys[i], streamKey(t, &p, c.series(l)...), "%s, form %d", what, i)
			replica := with(l, "prometheus_replica", "b")
			assert.Equal(t, keys[i], streamKey(t, &p, c.series(replica)...), "%s, form %d, a replica", what, i)
			assert.NotContains(t, keys, streamKey(t, &p, c.series(with(l, "http_route", "", "other", "x"))...), "%s, another label", what)
		}
	}
}

func TestSettingsOfTheExporter(t *testing.T) {
	for what, c := range map[string]struct {
		set    func(*Prometheus)
		metric func(pmetric.Metric)
		series map[string]string
	}{
		"namespace":       {func(p *Prometheus) { p.Namespace = "shop" }, gauge, with(scoped, "__name__", "shop_queue_length_bytes")},
		"external labels": {func(p *Prometheus) { p.ExternalLabels = labeled("data.center", "b") }, gauge, with(scoped, "__name__", "queue_length_bytes", "data_center", "b")},
		"no suffixes":     {func(p *Prometheus) { p.AddMetricSuffixes = false }, gauge, with(scoped, "__name__", "queue_length")},
		"no suffixes, a counter": {
			func(p *Prometheus) { p.TranslationStrategy = escapeWithoutSuffixes }, counter, with(scoped, "__name__", "orders"),
		},
		"no translation": {
			func(p *Prometheus) { p.TranslationStrategy = noTranslation }, gauge,
			labeled("__name__", "queue.length", "job", "shop/cart", "instance", "i-1", "http.route", "/", "otel_scope_name", "lib"),
		},
	} {
		p := DefaultConfig().Prometheus
		c.set(&p)
		translator, err := newTranslator(&p)
		require.NoError(t, err)
		found := map[key]struct{}{}
		for _, f := range families(&p, []map[string]string{c.series}, nil) {
			for k := range f.streams {
				found[k] = struct{}{}
			}
		}
		keys := translator.keys(origin(c.metric))
		assert.True(t, has(found, keys[4]), what)
		p = DefaultConfig().Prometheus
		otherwise, err := newTranslator(&p)
		require.NoError(t, err)
		assert.False(t, has(found, otherwise.keys(origin(c.metric))[4]), "%s: the setting makes the difference", what)
	}
}

func TestUnrequestedSeriesAreNotRead(t *testing.T) {
	p := DefaultConfig().Prometheus
	list := []map[string]string{
		labeled("__name__", "anomaly_score", "job", "a"), labeled("__name__", "target_info", "job", "a"), labeled("__name__", "up", "job", "a"),
	}
	all := families(&p, list, nil)
	require.Len(t, all, 1)
	assert.Equal(t, "up", all[0].name)
	assert.Empty(t, families(&p, list, all[0].streams), "and nothing that the engine knows")
}

func TestBatchesAndSelectors(t *testing.T) {
	p := DefaultConfig().Prometheus
	var list []map[string]string
	for i := range 3 * batchSeries / 2 {
		list = append(list, labeled("__name__", "m"+strconv.Itoa(i%3), "i", strconv.Itoa(i)))
	}
	for i := range 2 * batchSeries {
		list = append(list, labeled("__name__", "large.name", "i", strconv.Itoa(i)))
	}
	var got [][]string
	for batch := range batches(families(&p, list, nil)) {
		names, err := selectors(batch, nil)
		require.NoError(t, err)
		got = append(got, names)
	}
	assert.Equal(t, [][]string{{`{__name__=~"large\\.name"}`}, {`{__name__=~"m0|m1"}`}, {`{__name__=~"m2"}`}}, got)
	narrowed, err := selectors(families(&p, list[:3], nil), []string{`{job="a"}`, `m1{i!=""}`})
	require.NoError(t, err)
	assert.Equal(t, []string{`{__name__=~"m0|m1|m2",job="a"}`, `{__name__=~"m0|m1|m2",i!="",__name__="m1"}`}, narrowed)
}

// BenchmarkTake measures the delay of the pipeline at the first point of a stream.
func BenchmarkTake(b *testing.B) {
	p := DefaultConfig().Prometheus
	translator, err := newTranslator(&p)
	require.NoError(b, err)
	h := &history{translator: translator, pasts: map[key]*engine.Past{0: nil}}
	o := origin(histogram)
	b.ReportAllocs()
	for b.Loop() {
		h.Take(o)
	}
}
