// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/exemplar"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"

	"github.com/auspex-otel/auspex/demo/shop"
)

// scope is the name of the instrumentation scope of everything that the shop measures.
const scope = "github.com/auspex-otel/auspex/demo"

// The instruments of a service.
const (
	durationName = "http.server.request.duration"
	failedName   = "shop.request.failures"
	activeName   = "http.server.active_requests"
	cpuName      = "process.cpu.utilization"
)

// SeriesPerService is the number of series that Auspex makes of one service: five of the
// duration (rate, mean, p50, p95, p99) and one of each other instrument.
const SeriesPerService = 5 + 3

// meter is the metric side of one service.
type meter struct {
	reader   *sdkmetric.ManualReader
	provider *sdkmetric.MeterProvider
	duration metric.Float64Histogram
	failed   metric.Int64Counter
	cpu      metric.Float64Gauge
	record   []metric.RecordOption
	add      []metric.AddOption
	active   int64
	batch    *metricdata.ResourceMetrics
}

// bounds are the bucket boundaries of latencies: from 4 ms to 3 s, each 17 % above the
// one before, so that a quantile read from them is good to a few per cent.
func bounds() []float64 {
	var b []float64
	for v := .004; v < 3; v *= 1.17 {
		b = append(b, v)
	}
	return b
}

// newMeter returns the instruments of a service.
func newMeter(s shop.Service, res *resource.Resource) (*meter, error) {
	reader := sdkmetric.NewManualReader()
	m := &meter{
		reader: reader,
		provider: sdkmetric.NewMeterProvider(
			sdkmetric.WithResource(res),
			sdkmetric.WithReader(reader),
			sdkmetric.WithExemplarFilter(exemplar.AlwaysOffFilter),
			sdkmetric.WithView(sdkmetric.NewView(
				sdkmetric.Instrument{Name: durationName},
				sdkmetric.Stream{Aggregation: sdkmetric.AggregationExplicitBucketHistogram{Boundaries: bounds(), NoMinMax: true}},
			)),
		),
	}
	endpoint := metric.WithAttributeSet(attribute.NewSet(
		attribute.String("http.request.method", s.Method), attribute.String("http.route", s.Route)))
	m.record, m.add = []metric.RecordOption{endpoint}, []metric.AddOption{endpoint}
	return m, m.instruments(m.provider.Meter(scope))
}

// instruments makes the instruments.
func (m *meter) instruments(from metric.Meter) (err error) {
	if m.duration, err = from.Float64Histogram(durationName, metric.WithUnit("s"),
		metric.WithDescription("Duration of HTTP server requests.")); err != nil {
		return err
	}
	if m.failed, err = from.Int64Counter(failedName, metric.WithUnit("{request}"),
		metric.WithDescription("Requests that were answered with an error.")); err != nil {
		return err
	}
	if m.cpu, err = from.Float64Gauge(cpuName, metric.WithUnit("1"),
		metric.WithDescription("Share of the processors' time that the process used.")); err != nil {
		return err
	}
	_, err = from.Int64ObservableUpDownCounter(activeName, metric.WithUnit("{request}"),
		metric.WithDescription("Requests in flight."),
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
			o.Observe(m.active)
			return nil
		}))
	return err
}

// take records what the service did in one interval, reads the instruments, and keeps
// the reading, restamped, in the batch.
func (m *meter) take(ctx context.Context, a *shop.Activity, start, at time.Time) error {
	for _, v := range a.Latencies {
		m.duration.Record(ctx, v, m.record...)
	}
	m.failed.Add(ctx, int64(a.Failed), m.add...)
	m.cpu.Record(ctx, a.CPU)
	m.active = int64(a.Active)
	reading := new(metricdata.ResourceMetrics)
	if err := m.reader.Collect(ctx, reading); err != nil {
		return err
	}
	restamp(reading, start, at)
	if m.batch == nil {
		m.batch = reading
		return nil
	}
	merge(m.batch, reading)
	return nil
}
