// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

const benchmarkPoints = 1000

// benchmarkBatch is 10 resources with 10 metrics of 10 data points each.
func benchmarkBatch(put func(m pmetric.Metric, point int)) pmetric.Metrics {
	md := pmetric.NewMetrics()
	for r := range 10 {
		addService(md, fmt.Sprint("service-", r))
		ms := md.ResourceMetrics().At(r).ScopeMetrics().At(0).Metrics()
		for m := range 10 {
			metric := ms.AppendEmpty()
			metric.SetName(fmt.Sprint("http.server.metric.", m))
			for p := range 10 {
				put(metric, p)
			}
		}
	}
	return md
}

func describe(attributes pcommon.Map, point int) {
	attributes.PutStr("http.request.method", "GET")
	attributes.PutStr("http.route", fmt.Sprint("/api/route/", point))
	attributes.PutInt("http.response.status_code", 200)
}

// BenchmarkObserveMetrics observes batches of 1,000 data points with new times
// and values each.
func BenchmarkObserveMetrics(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 2))
	gauges := benchmarkBatch(func(m pmetric.Metric, point int) {
		if point == 0 {
			m.SetEmptyGauge()
		}
		describe(m.Gauge().DataPoints().AppendEmpty().Attributes(), point)
	})
	counters := benchmarkBatch(func(m pmetric.Metric, point int) {
		if point == 0 {
			m.SetEmptySum().SetIsMonotonic(true)
			m.Sum().SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
		}
		describe(m.Sum().DataPoints().AppendEmpty().Attributes(), point)
	})
	histograms := benchmarkBatch(func(m pmetric.Metric, point int) {
		if point == 0 {
			m.SetEmptyHistogram().SetAggregationTemporality(pmetric.AggregationTemporalityCumulative)
		}
		dp := m.Histogram().DataPoints().AppendEmpty()
		describe(dp.Attributes(), point)
		dp.ExplicitBounds().FromRaw([]float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10})
		dp.BucketCounts().FromRaw(make([]uint64, 12))
	})
	for _, c := range []struct {
		name string
		md   pmetric.Metrics
		next func(m pmetric.Metric, t pcommon.Timestamp)
	}{
		{"gauge", gauges, func(m pmetric.Metric, t pcommon.Timestamp) {
			for _, dp := range m.Gauge().DataPoints().All() {
				dp.SetTimestamp(t)
				dp.SetDoubleValue(100 + random.Float64())
			}
		}},
		{"counter", counters, func(m pmetric.Metric, t pcommon.Timestamp) {
			for _, dp := range m.Sum().DataPoints().All() {
				dp.SetTimestamp(t)
				dp.SetDoubleValue(dp.DoubleValue() + random.Float64())
			}
		}},
		{"histogram", histograms, func(m pmetric.Metric, t pcommon.Timestamp) {
			for _, dp := range m.Histogram().DataPoints().All() {
				dp.SetTimestamp(t)
				for i := range 12 {
					n := random.Uint64N(10)
					dp.BucketCounts().SetAt(i, dp.BucketCounts().At(i)+n)
					dp.SetCount(dp.Count() + n)
					dp.SetSum(dp.Sum() + float64(n)*.01*float64(i))
				}
			}
		}},
	} {
		for _, out := range []Output{shownWhereAnomalous, shownAll} {
			b.Run(c.name+"/"+string(out.Select), func(b *testing.B) {
				e := newEngine()
				second := 0.0
				prepare := func() {
					second += cadence
					e.Tick(at(second))
					for _, rm := range c.md.ResourceMetrics().All() {
						for _, m := range rm.ScopeMetrics().At(0).Metrics().All() {
							c.next(m, stamp(second))
						}
					}
				}
				for range 150 {
					prepare()
					e.ObserveMetrics(c.md, out)
				}
				b.ReportAllocs()
				for b.Loop() {
					b.StopTimer()
					prepare()
					b.StartTimer()
					e.ObserveMetrics(c.md, out)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchmarkPoints, "ns/point")
			})
		}
	}
}

// BenchmarkSnapshot writes and reads the state of 10,000 series.
func BenchmarkSnapshot(b *testing.B) {
	e := newEngine()
	disk := persist(b, e)
	for i := range 3 {
		e.ObserveMetrics(from("s", gauge("m", float64(i*cadence), make([]float64, 10_000)...)), shownNone)
	}
	b.Run("write", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			require.NoError(b, e.Snapshot(b.Context(), start))
		}
		size := 0
		for _, v := range disk.data {
			size += len(v)
		}
		b.ReportMetric(float64(size)/2/10_000, "B/series") // two generations
	})
	b.Run("read", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			restored(b, disk, 0)
		}
	})
}

// BenchmarkTick asks a full table for what is silent, with some anomalies open.
func BenchmarkTick(b *testing.B) {
	w := newWorld(newEngine(), "a", "b", "c", "d")
	w.run(history)
	w.run(1, "a", "b", "c", "d")
	b.ReportAllocs()
	now := at(history * cadence)
	for b.Loop() {
		now = now.Add(time.Millisecond)
		w.engine.Tick(now)
	}
}
