// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package anomalyprocessor

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/auspex-otel/auspex/internal/engine"
	"github.com/auspex-otel/auspex/processor/anomalyprocessor/internal/metadata"
	"github.com/auspex-otel/auspex/processor/anomalyprocessor/internal/metadatatest"
)

const (
	cadence = 10  // seconds
	history = 400 // points, long enough that no model is warming up
	fault   = 1000
)

var start = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// owner is an extension with an engine.
type owner struct {
	component.Component
	engine *engine.Engine
}

func (o owner) Engine() *engine.Engine { return o.engine }

type host struct {
	component.Host
	extensions map[component.ID]component.Component
}

func (h host) GetExtensions() map[component.ID]component.Component { return h.extensions }

func hostOf(engines ...*engine.Engine) host {
	h := host{componenttest.NewNopHost(), map[component.ID]component.Component{}}
	for i, e := range engines {
		h.extensions[component.MustNewIDWithName("anomaly_engine", strconv.Itoa(i))] = owner{engine: e}
	}
	return h
}

// newEngine returns an engine with a threshold above all noise of these tests.
func newEngine() *engine.Engine {
	cfg := engine.DefaultConfig()
	cfg.FalseAlarms = engine.FalseAlarms{Count: 1e6, Per: 24 * time.Hour, MaxAlpha: 1e-6}
	return ticked(cfg)
}

// ticked returns an engine with its clock after all points.
func ticked(cfg engine.Config) *engine.Engine {
	e := engine.New(cfg, zap.NewNop())
	e.Tick(start.Add(24 * time.Hour))
	return e
}

// rig is a started processor, its next consumer, and a clock that counts batches.
type rig struct {
	*testing.T
	processor.Metrics
	telemetry *componenttest.Telemetry
	sink      *consumertest.MetricsSink
	refuse    error // returned by the next consumer
	step      int
}

func newRig(t *testing.T, e *engine.Engine, change ...func(*Config)) *rig {
	t.Helper()
	r := &rig{T: t, telemetry: componenttest.NewTelemetry(), sink: &consumertest.MetricsSink{}}
	cfg := NewFactory().CreateDefaultConfig().(*Config)
	for _, c := range change {
		c(cfg)
	}
	next, err := consumer.NewMetrics(func(ctx context.Context, md pmetric.Metrics) error {
		if err := r.sink.ConsumeMetrics(ctx, md); err != nil {
			return err
		}
		return r.refuse
	})
	require.NoError(t, err)
	r.Metrics, err = NewFactory().CreateMetrics(t.Context(), metadatatest.NewSettings(r.telemetry), cfg, next)
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context(), hostOf(e)))
	t.Cleanup(func() {
		_, err := r.telemetry.GetMetric("otelcol_processor_anomaly_failures")
		assert.Error(t, err, "no batch passed unjudged")
		require.NoError(t, r.Shutdown(context.Background()))
		require.NoError(t, r.telemetry.Shutdown(context.Background()))
	})
	return r
}

// batch returns a resource with a gauge of two points, a summary, a counter, and a histogram of
// each kind. If faulty, the second point of the gauge is anomalous.
func batch(step int, faulty bool) pmetric.Metrics {
	random := rand.New(rand.NewPCG(uint64(step), 1))
	at := pcommon.NewTimestampFromTime(start.Add(time.Duration(step*cadence) * time.Second))
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.name", "cart")
	sm := rm.ScopeMetrics().AppendEmpty()
	sm.Scope().SetName("first")
	sm.Metrics().AppendEmpty().SetName("nothing in it")
	m := sm.Metrics().AppendEmpty()
	m.SetName("queue.size")
	m.SetUnit("{item}")
	m.SetEmptyGauge()
	for i := range 2 {
		dp := m.Gauge().DataPoints().AppendEmpty()
		dp.SetTimestamp(at)
		dp.SetDoubleValue(100 + random.Float64())
		if i == 1 && faulty {
			dp.SetDoubleValue(100 + fault)
		}
		dp.Attributes().PutStr("queue", fmt.Sprint("q", i))
	}
	m = sm.Metrics().AppendEmpty()
	m.SetName("summary")
	s := m.SetEmptySummary().DataPoints().AppendEmpty()
	s.SetTimestamp(at)
	s.SetCount(1000*uint64(step) + random.Uint64N(50))
	s.SetSum(500*float64(step) + random.Float64())
	q := s.QuantileValues().AppendEmpty()
	q.SetQuantile(.95)
	q.SetValue(2 + random.Float64())

	sm = rm.ScopeMetrics().AppendEmpty()
	sm.Scope().SetName("second")
	m = sm.Metrics().AppendEmpty()
	m.SetName("io")
	m.SetUnit("By")
	m.SetEmptySum().SetIsMonotonic(true)
	m.Sum().SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
	m.Sum().DataPoints().AppendEmpty().SetTimestamp(at)
	m.Sum().DataPoints().At(0).SetIntValue(int64(1000*step + random.IntN(50)))
	m = sm.Metrics().AppendEmpty()
	m.SetName("latency")
	m.SetUnit("s")
	m.SetEmptyHistogram().SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
	h := m.Histogram().DataPoints().AppendEmpty()
	h.SetTimestamp(at)
	h.SetStartTimestamp(at - cadence*1e9)
	h.ExplicitBounds().FromRaw([]float64{1, 2})
	h.BucketCounts().FromRaw([]uint64{50 + random.Uint64N(5), 10, 1})
	h.SetCount(61 + random.Uint64N(5))
	h.SetSum(60)
	m = sm.Metrics().AppendEmpty()
	m.SetName("size")
	m.SetUnit("By")
	m.SetEmptyExponentialHistogram().SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
	x := m.ExponentialHistogram().DataPoints().AppendEmpty()
	x.SetTimestamp(at)
	x.SetStartTimestamp(at - cadence*1e9)
	x.Positive().BucketCounts().FromRaw([]uint64{50 + random.Uint64N(5), 10, 1})
	x.SetCount(x.Positive().BucketCounts().At(0) + 11)
	x.SetSum(90 + random.Float64())
	return md
}

const (
	statistics = 2 + 3 + 1 + 5 + 5
	// cumulative is the number of statistics that have no value at their first point.
	cumulative = 2 + 1
)

// feed sends a batch and returns the output.
func (r *rig) feed(faulty bool) pmetric.Metrics {
	r.Helper()
	md := batch(r.step, faulty)
	r.step++
	require.NoError(r, r.ConsumeMetrics(r.Context(), md))
	all := r.sink.AllMetrics()
	return all[len(all)-1]
}

const (
	// shortestWindow is the number of points in the shortest window of a model, in which a past
	// fault can remain anomalous.
	shortestWindow = 8
	// quietPoints is the number of consecutive quiet points that closes an anomaly.
	quietPoints = 3
)

// closing sends batches until the anomaly of the series closes, and returns the output.
func (r *rig) closing(e *engine.Engine) (all []pmetric.Metrics) {
	r.Helper()
	quiet := 0
	for range shortestWindow - 1 + quietPoints {
		all = append(all, r.feed(false))
		quiet++
		if e.Series(engine.SeriesQuery{Service: "cart", Limit: 1})[0].Score >= 1 {
			quiet = 0
		}
		if quiet == quietPoints {
			return all
		}
	}
	require.Fail(r, "the anomaly did not close in time")
	return nil
}

func (r *rig) history() *rig {
	for range history {
		r.feed(false)
	}
	r.sink.Reset()
	return r
}

// companions removes the companion gauges from a batch and returns them as text.
func companions(md pmetric.Metrics) (lines []string) {
	for i, rm := range md.ResourceMetrics().All() {
		for j, sm := range rm.ScopeMetrics().All() {
			sm.Metrics().RemoveIf(func(m pmetric.Metric) bool {
				if !strings.HasPrefix(m.Name(), "anomaly.") {
					return false
				}
				for _, dp := range m.Gauge().DataPoints().All() {
					at := dp.Attributes()
					get := func(k string) string { v, _ := at.Get(k); return v.AsString() }
					line := fmt.Sprintf("%d/%d %s %s/%s[%s]", i, j, m.Name(), get("anomaly.metric"), get("anomaly.statistic"), get("anomaly.unit"))
					if dp.Flags().NoRecordedValue() {
						line += " end"
					}
					lines = append(lines, line)
				}
				return true
			})
		}
	}
	return lines
}

func text(t *testing.T, md pmetric.Metrics) string {
	t.Helper()
	b, err := (&pmetric.JSONMarshaler{}).MarshalMetrics(md)
	require.NoError(t, err)
	return string(b)
}

func TestNothingIsWrittenWhileNothingIsWrong(t *testing.T) {
	r := newRig(t, newEngine())
	for range history {
		want := text(t, batch(r.step, false))
		require.Equal(t, want, text(t, r.feed(false)))
	}
}

func TestCompanionsOfAnAnomaly(t *testing.T) {
	r := newRig(t, newEngine()).history()
	got := r.feed(true)
	ms := got.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics()
	require.Equal(t, 3+5, ms.Len())
	values := map[string]float64{}
	for i, name := range []string{"anomaly.score", "anomaly.observed", "anomaly.expected", "anomaly.lower", "anomaly.upper"} {
		m := ms.At(3 + i)
		assert.Equal(t, name, m.Name())
		assert.Empty(t, m.Unit(), "a unit would become a suffix in Prometheus")
		require.Equal(t, pmetric.MetricTypeGauge, m.Type())
		require.Equal(t, 1, m.Gauge().DataPoints().Len())
		dp := m.Gauge().DataPoints().At(0)
		assert.Equal(t, pcommon.NewTimestampFromTime(start.Add(history*cadence*time.Second)), dp.Timestamp())
		assert.Equal(t, map[string]any{
			"queue": "q1", "anomaly.metric": "queue.size", "anomaly.statistic": "value", "anomaly.unit": "{item}",
		}, dp.Attributes().AsRaw())
		assert.Equal(t, pmetric.NumberDataPointValueTypeDouble, dp.ValueType())
		assert.False(t, dp.Flags().NoRecordedValue())
		values[name] = dp.DoubleValue()
	}
	assert.Greater(t, values["anomaly.score"], 1.0)
	assert.InDelta(t, 100+fault, values["anomaly.observed"], 0)
	assert.InDelta(t, 100.5, values["anomaly.expected"], .5)
	assert.Less(t, values["anomaly.lower"], values["anomaly.expected"])
	assert.Greater(t, values["anomaly.upper"], values["anomaly.expected"])

	companions(got)
	assert.Equal(t, text(t, batch(history, true)), text(t, got), "the telemetry itself is as it came, in its order")
}

// Companions are written until five points after the anomaly has closed, then a stale marker.
func TestCompanionsEndWithAMark(t *testing.T) {
	e := newEngine()
	r := newRig(t, e).history()
	r.feed(true)
	shown := r.closing(e)
	for range 5 {
		shown = append(shown, r.feed(false))
	}
	for _, md := range shown {
		got := companions(md)
		assert.Len(t, got, 5)
		assert.NotContains(t, strings.Join(got, " "), "end")
	}
	assert.Equal(t, []string{
		"0/0 anomaly.score queue.size/value[{item}] end", "0/0 anomaly.observed queue.size/value[{item}] end", "0/0 anomaly.expected queue.size/value[{item}] end",
		"0/0 anomaly.lower queue.size/value[{item}] end", "0/0 anomaly.upper queue.size/value[{item}] end",
	}, companions(r.feed(false)))
	for range 3 {
		assert.Empty(t, companions(r.feed(false)))
	}
}

func TestSelectAll(t *testing.T) {
	r := newRig(t, newEngine(), func(c *Config) { c.Output.Select = engine.SelectAll }).history()
	got := r.feed(true)
	for _, sm := range got.ResourceMetrics().At(0).ScopeMetrics().All() {
		names := map[string]int{}
		for _, m := range sm.Metrics().All() {
			names[m.Name()]++
		}
		assert.Equal(t, 1, names["anomaly.score"], "the series of a scope share its gauges")
	}
	lines := companions(got)
	assert.Len(t, lines, statistics*5)
	var scores []string
	for _, line := range lines {
		if strings.Contains(line, "anomaly.score") {
			scores = append(scores, line)
		}
	}
	assert.Equal(t, []string{
		"0/0 anomaly.score queue.size/value[{item}]", "0/0 anomaly.score queue.size/value[{item}]",
		"0/0 anomaly.score summary/rate[1/s]", "0/0 anomaly.score summary/mean[]", "0/0 anomaly.score summary/p95[]",
		"0/1 anomaly.score io/rate[By/s]", "0/1 anomaly.score latency/rate[1/s]", "0/1 anomaly.score latency/mean[s]",
		"0/1 anomaly.score latency/p50[s]", "0/1 anomaly.score latency/p95[s]", "0/1 anomaly.score latency/p99[s]",
		"0/1 anomaly.score size/rate[1/s]", "0/1 anomaly.score size/mean[By]",
		"0/1 anomaly.score size/p50[By]", "0/1 anomaly.score size/p95[By]", "0/1 anomaly.score size/p99[By]",
	}, scores)
	assert.Equal(t, text(t, batch(history, true)), text(t, got))
	for range 20 { // the end of an anomaly has no effect if all are written
		got = r.feed(false)
		lines = companions(got)
		assert.Len(t, lines, statistics*5)
		assert.NotContains(t, strings.Join(lines, " "), "end")
	}
}

func TestSelectNone(t *testing.T) {
	e := newEngine()
	r := newRig(t, e, func(c *Config) { c.Output.Select = engine.SelectNone }).history()
	assert.Empty(t, companions(r.feed(true)))
	assert.Equal(t, 1, e.Status().OpenAnomalies, "it is found all the same")
}

func TestBandOff(t *testing.T) {
	r := newRig(t, newEngine(), func(c *Config) { c.Output.Band = false }).history()
	assert.Equal(t, []string{
		"0/0 anomaly.score queue.size/value[{item}]", "0/0 anomaly.observed queue.size/value[{item}]", "0/0 anomaly.expected queue.size/value[{item}]",
	}, companions(r.feed(true)))
}

func TestMaxSeries(t *testing.T) {
	for n, want := range map[int]int{1: 1, 2: 2, 10: 2} {
		r := newRig(t, newEngine(), func(c *Config) { c.Output.MaxSeries, c.Output.Band = n, false }).history()
		md := batch(r.step, true)
		md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(1).Gauge().DataPoints().At(0).SetDoubleValue(-fault)
		require.NoError(t, r.ConsumeMetrics(t.Context(), md))
		assert.Len(t, companions(r.sink.AllMetrics()[0]), 3*want, "max_series %d", n)
	}
}

// A score from a preceding collector is kept, and no second one is written. Other series get a
// score.
func TestScoreThatIsThereStays(t *testing.T) {
	r := newRig(t, newEngine(), func(c *Config) { c.Output.Select = engine.SelectAll }).history()
	md := batch(r.step, true)
	sm := md.ResourceMetrics().At(0).ScopeMetrics().At(0)
	m := sm.Metrics().AppendEmpty()
	m.SetName("anomaly.score")
	dp := m.SetEmptyGauge().DataPoints().AppendEmpty()
	dp.SetDoubleValue(42)
	require.NoError(t, dp.Attributes().FromRaw(map[string]any{
		"anomaly.unit": "{item}", "anomaly.statistic": "value", "anomaly.metric": "queue.size", "queue": "q1",
	}))
	require.NoError(t, r.ConsumeMetrics(t.Context(), md))
	got := r.sink.AllMetrics()[0].ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics()
	scores := map[string]float64{}
	for _, m := range got.All() {
		if m.Name() != "anomaly.score" {
			continue
		}
		for _, dp := range m.Gauge().DataPoints().All() {
			queue, ok := dp.Attributes().Get("queue")
			if !ok {
				continue // of another metric
			}
			_, twice := scores[queue.Str()]
			assert.False(t, twice)
			scores[queue.Str()] = dp.DoubleValue()
		}
	}
	assert.Len(t, scores, 2)
	assert.InDelta(t, 42, scores["q1"], 0)
	assert.Less(t, scores["q0"], 1.0)
}

// The result of the next consumer is returned unchanged. If the sender repeats the batch, as a
// copy or as the modified original, the output is the same and nothing is observed again.
func TestRefusedBatch(t *testing.T) {
	e := newEngine()
	r := newRig(t, e, func(c *Config) { c.Output.Select = engine.SelectAll }).history()
	r.refuse = errors.New("come again")
	md := batch(r.step, true)
	assert.Same(t, r.refuse, r.ConsumeMetrics(t.Context(), md))
	status := e.Status()
	events := e.PendingEvents()
	assert.Same(t, r.refuse, r.ConsumeMetrics(t.Context(), md))
	assert.Same(t, r.refuse, r.ConsumeMetrics(t.Context(), batch(r.step, true)))
	r.refuse = nil
	require.NoError(t, r.ConsumeMetrics(t.Context(), batch(r.step, true)))

	all := r.sink.AllMetrics()
	require.Len(t, all, 4)
	for _, again := range all[1:] {
		assert.Equal(t, text(t, all[0]), text(t, again))
	}
	after := e.Status()
	assert.Equal(t, status.Points, after.Points)
	assert.Equal(t, status.AnomaliesOpened, after.AnomaliesOpened)
	assert.Equal(t, status.Refused, after.Refused)
	assert.Equal(t, events, e.PendingEvents())
}

func TestPermanentErrorStaysPermanent(t *testing.T) {
	r := newRig(t, newEngine())
	type permanent struct{ error }
	r.refuse = permanent{errors.New("never come again")}
	err := r.ConsumeMetrics(t.Context(), batch(0, false))
	var want permanent
	assert.ErrorAs(t, err, &want)
}

// A failure of the engine loses no telemetry. Here the engine is nil.
func TestFailureInsideTheEngine(t *testing.T) {
	telemetry := componenttest.NewTelemetry()
	core, logs := observer.New(zap.ErrorLevel)
	set := metadatatest.NewSettings(telemetry)
	set.Logger = zap.New(core)
	sink := &consumertest.MetricsSink{}
	p, err := NewFactory().CreateMetrics(t.Context(), set, NewFactory().CreateDefaultConfig(), sink)
	require.NoError(t, err)
	for range 2 {
		require.NotPanics(t, func() { require.NoError(t, p.ConsumeMetrics(t.Context(), batch(0, true))) })
	}
	require.Len(t, sink.AllMetrics(), 2)
	assert.Equal(t, text(t, batch(0, true)), text(t, sink.AllMetrics()[1]))
	metadatatest.AssertEqualProcessorAnomalyFailures(t, telemetry, []metricdata.DataPoint[int64]{{Value: 2}}, metricdatatest.IgnoreTimestamp())
	require.Equal(t, 2, logs.Len())
	assert.Contains(t, logs.All()[0].ContextMap()["failure"], "nil pointer")
	assert.Contains(t, logs.All()[0].ContextMap()["stack"], "anomalyprocessor.go")
	require.NoError(t, p.Shutdown(t.Context()))
	require.NoError(t, telemetry.Shutdown(t.Context()))
}

func TestTelemetry(t *testing.T) {
	r := newRig(t, newEngine()).history()
	r.feed(true)
	r.feed(false)
	metadatatest.AssertEqualProcessorAnomalyCompanionPoints(t, r.telemetry, []metricdata.DataPoint[int64]{{Value: 10}}, metricdatatest.IgnoreTimestamp())
}

// Two pipelines with two processors share one engine. Every point is observed once.
func TestTwoPipelinesAreOneEngine(t *testing.T) {
	e := newEngine()
	one, two := newRig(t, e), newRig(t, e, func(c *Config) { c.Output.Select = engine.SelectAll })
	for range history {
		one.feed(false)
		two.feed(false)
	}
	assert.Equal(t, uint64(history*statistics-cumulative), e.Status().Points)
	assert.Len(t, companions(one.feed(true)), 5)
	assert.Len(t, companions(two.feed(true)), 5*statistics)
}

// The second pipeline has a filter before its processor, so its batch has a different shape.
func TestTwoPipelinesWithBatchesOfDifferentShape(t *testing.T) {
	e := newEngine()
	one, two := newRig(t, e).history(), newRig(t, e)
	require.Len(t, companions(one.feed(true)), 5)

	filtered := batch(history, true)
	filtered.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().RemoveIf(func(m pmetric.Metric) bool { return m.Name() != "queue.size" })
	want := pmetric.NewMetrics()
	filtered.CopyTo(want)
	require.NotPanics(t, func() { require.NoError(t, two.ConsumeMetrics(t.Context(), filtered)) })
	got := two.sink.AllMetrics()[0]
	assert.Len(t, companions(got), 5)
	assert.Equal(t, text(t, want), text(t, got))
}

func TestMetricsMayBeWrittenInto(t *testing.T) {
	r := newRig(t, newEngine())
	assert.True(t, r.Capabilities().MutatesData)
}

func TestWithoutAnEngineExtension(t *testing.T) {
	sink := &consumertest.MetricsSink{}
	p, err := NewFactory().CreateMetrics(t.Context(), processortest.NewNopSettings(metadata.Type), NewFactory().CreateDefaultConfig(), sink)
	require.NoError(t, err)
	require.NoError(t, p.Start(t.Context(), componenttest.NewNopHost()))
	shared, err := engine.Find(componenttest.NewNopHost(), zap.NewNop())
	require.NoError(t, err)
	before := shared.Status().Points
	require.NoError(t, p.ConsumeMetrics(t.Context(), batch(0, false)))
	assert.Len(t, sink.AllMetrics(), 1)
	assert.Greater(t, shared.Status().Points, before, "all share one default engine")
	require.NoError(t, p.Shutdown(t.Context()))
}

func TestSeveralEnginesAreAnErrorAtStart(t *testing.T) {
	set := processortest.NewNopSettings(metadata.Type)
	mp, err := NewFactory().CreateMetrics(t.Context(), set, NewFactory().CreateDefaultConfig(), consumertest.NewNop())
	require.NoError(t, err)
	require.ErrorContains(t, mp.Start(t.Context(), hostOf(newEngine(), newEngine())), "several anomaly engines")
	require.NoError(t, mp.Shutdown(t.Context()))
}

func TestEmptyBatchesPass(t *testing.T) {
	r := newRig(t, newEngine())
	require.NoError(t, r.ConsumeMetrics(t.Context(), pmetric.NewMetrics()))
	assert.Len(t, r.sink.AllMetrics(), 1)
}

// BenchmarkConsumeMetrics measures the cost of a batch of 1,000 gauge points between its receiver
// and the next consumer.
func BenchmarkConsumeMetrics(b *testing.B) {
	p, err := NewFactory().CreateMetrics(b.Context(), processortest.NewNopSettings(metadata.Type), NewFactory().CreateDefaultConfig(), consumertest.NewNop())
	require.NoError(b, err)
	require.NoError(b, p.Start(b.Context(), hostOf(newEngine())))
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("service.name", "cart")
	m := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName("m")
	dps := m.SetEmptyGauge().DataPoints()
	for i := range 1000 {
		dps.AppendEmpty().Attributes().PutInt("n", int64(i))
	}
	t := start
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		t = t.Add(cadence * time.Second)
		for i, dp := range dps.All() {
			dp.SetTimestamp(pcommon.NewTimestampFromTime(t))
			dp.SetDoubleValue(float64(i * t.Second() % 13))
		}
		b.StartTimer()
		if err := p.ConsumeMetrics(b.Context(), md); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/point")
}
