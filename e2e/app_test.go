// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/exemplar"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"

	"github.com/auspex-otel/auspex/internal/peertest"
)

// Instruments of an app and their names in Prometheus.
const (
	queueMetric    = "e2e.queue.length"
	ordersMetric   = "e2e.orders"
	durationMetric = "e2e.request.duration"

	queueName  = "e2e_queue_length"
	ordersName = "e2e_orders_total"
	countName  = "e2e_request_duration_seconds_count"
	sumName    = "e2e_request_duration_seconds_sum"

	runAttribute = "e2e.run"
)

// plan describes an app.
type plan struct {
	name        string // service.name, or host.name if the app has no service
	resource    []attribute.KeyValue
	temporality metricdata.Temporality
	histogram   bool
}

// app is an application that is instrumented with the OpenTelemetry SDK. The test reads its instruments by hand and
// sets event times before it exports.
type app struct {
	plan
	reader      *sdkmetric.ManualReader
	queue       metric.Float64Gauge
	orders      metric.Int64Counter
	duration    metric.Float64Histogram // nil: not measured
	run         metric.MeasurementOption
	random      *rand.Rand
	start, last time.Time
	batch       *metricdata.ResourceMetrics

	// sent holds the samples that Prometheus must have, by metric name. Counts are running totals.
	sent          map[string][]peertest.Sample
	total, counts int64
	sum           float64
}

// newApp instruments an application that has run since start.
func newApp(t *testing.T, p plan, run string, seed uint64, start time.Time) *app {
	t.Helper()
	a := &app{
		plan: p, start: start, last: start, random: rand.New(rand.NewPCG(seed, 7)),
		run: metric.WithAttributes(attribute.String(runAttribute, run)), sent: map[string][]peertest.Sample{},
		reader: sdkmetric.NewManualReader(sdkmetric.WithTemporalitySelector(
			func(sdkmetric.InstrumentKind) metricdata.Temporality { return p.temporality })),
	}
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(a.reader),
		sdkmetric.WithResource(resource.NewSchemaless(p.resource...)), sdkmetric.WithExemplarFilter(exemplar.AlwaysOffFilter))
	t.Cleanup(func() { _ = provider.Shutdown(context.Background()) })
	meter := provider.Meter("e2e")
	var err error
	a.queue, err = meter.Float64Gauge(queueMetric, metric.WithUnit("{item}"))
	require.NoError(t, err)
	a.orders, err = meter.Int64Counter(ordersMetric, metric.WithUnit("{order}"))
	require.NoError(t, err)
	if p.histogram {
		a.duration, err = meter.Float64Histogram(durationMetric, metric.WithUnit("s"),
			metric.WithExplicitBucketBoundaries(.02, .04, .06, .08, .1, .12, .14, .16, .2, .4, 1))
		require.NoError(t, err)
	}
	return a
}

// step records one measurement per instrument and reads the instruments as of at. It adds shift to the queue length.
func (a *app) step(t *testing.T, at time.Time, shift float64) {
	t.Helper()
	ctx := context.Background()
	queue := 100 + 5*a.random.NormFloat64() + shift
	orders := 500 + int64(20*a.random.NormFloat64())
	a.queue.Record(ctx, queue, a.run)
	a.orders.Add(ctx, orders, a.run)
	a.total += orders
	a.expect(queueName, at, queue)
	a.expect(ordersName, at, float64(a.total))
	if a.duration != nil {
		for range 20 {
			v := 0.1 + 0.02*a.random.NormFloat64()
			a.duration.Record(ctx, v, a.run)
			a.counts, a.sum = a.counts+1, a.sum+v
		}
		a.expect(countName, at, float64(a.counts))
		a.expect(sumName, at, a.sum)
	}
	reading := new(metricdata.ResourceMetrics)
	require.NoError(t, a.reader.Collect(ctx, reading))
	start := a.start
	if a.temporality == metricdata.DeltaTemporality {
		start = a.last
	}
	restamp(reading, start, at)
	a.last = at
	if a.batch == nil {
		a.batch = reading
		return
	}
	appendPoints(a.batch, reading)
}

func (a *app) expect(name string, at time.Time, v float64) {
	a.sent[name] = append(a.sent[name], peertest.Sample{Time: at, Value: v})
}

// export sends the readings since the last call in one request.
func (a *app) export(x sdkmetric.Exporter) error {
	if a.batch == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	err := x.Export(ctx, a.batch)
	a.batch = nil
	return err
}

// newExporter returns the SDK's OTLP exporter without retries.
func newExporter(t *testing.T, endpoint string) sdkmetric.Exporter {
	t.Helper()
	x, err := otlpmetricgrpc.New(context.Background(), otlpmetricgrpc.WithEndpoint(endpoint), otlpmetricgrpc.WithInsecure(),
		otlpmetricgrpc.WithRetry(otlpmetricgrpc.RetryConfig{}), otlpmetricgrpc.WithTimeout(30*time.Second))
	require.NoError(t, err)
	t.Cleanup(func() { _ = x.Shutdown(context.Background()) })
	return x
}

// restamp gives every data point its event times.
func restamp(rm *metricdata.ResourceMetrics, start, at time.Time) {
	for _, sm := range rm.ScopeMetrics {
		for _, m := range sm.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Gauge[float64]:
				restampPoints(data.DataPoints, start, at)
			case metricdata.Sum[int64]:
				restampPoints(data.DataPoints, start, at)
			case metricdata.Histogram[float64]:
				for i := range data.DataPoints {
					data.DataPoints[i].StartTime, data.DataPoints[i].Time = start, at
				}
			}
		}
	}
}

func restampPoints[N int64 | float64](points []metricdata.DataPoint[N], start, at time.Time) {
	for i := range points {
		points[i].StartTime, points[i].Time = start, at
	}
}

// appendPoints appends the data points of a later reading of the same instruments.
func appendPoints(to, from *metricdata.ResourceMetrics) {
	for i := range from.ScopeMetrics {
		for j, m := range from.ScopeMetrics[i].Metrics {
			dst := &to.ScopeMetrics[i].Metrics[j]
			switch data := m.Data.(type) {
			case metricdata.Gauge[float64]:
				g := dst.Data.(metricdata.Gauge[float64])
				g.DataPoints = append(g.DataPoints, data.DataPoints...)
				dst.Data = g
			case metricdata.Sum[int64]:
				s := dst.Data.(metricdata.Sum[int64])
				s.DataPoints = append(s.DataPoints, data.DataPoints...)
				dst.Data = s
			case metricdata.Histogram[float64]:
				h := dst.Data.(metricdata.Histogram[float64])
				h.DataPoints = append(h.DataPoints, data.DataPoints...)
				dst.Data = h
			}
		}
	}
}
