// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploggrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/auspex-otel/auspex/demo/shop"
)

// Fleet is the instrumented side of the shop: the providers of all its services.
type Fleet struct {
	services []shop.Service
	start    time.Time
	meters   []*meter
	journals []*journal
}

// Exporters are where a fleet's telemetry goes. The services share them, and one connection.
type Exporters struct {
	Metrics sdkmetric.Exporter
	Spans   sdktrace.SpanExporter
	Logs    sdklog.Exporter

	conn *grpc.ClientConn
}

// Dial returns exporters that send over OTLP/gRPC, without encryption, to an endpoint of this machine.
// What was not acknowledged is sent again for as long as the context of the call lasts.
func Dial(ctx context.Context, endpoint string) (*Exporters, error) {
	conn, err := grpc.NewClient(endpoint, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, err
	}
	x := &Exporters{conn: conn}
	x.Metrics, err = otlpmetricgrpc.New(ctx, otlpmetricgrpc.WithGRPCConn(conn), otlpmetricgrpc.WithTimeout(time.Minute),
		otlpmetricgrpc.WithRetry(otlpmetricgrpc.RetryConfig{
			Enabled:         true,
			InitialInterval: 50 * time.Millisecond, MaxInterval: time.Second, MaxElapsedTime: time.Minute,
		}))
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	x.Spans, err = otlptracegrpc.New(ctx, otlptracegrpc.WithGRPCConn(conn))
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	x.Logs, err = otlploggrpc.New(ctx, otlploggrpc.WithGRPCConn(conn))
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return x, nil
}

// Close closes the connection.
func (x *Exporters) Close() error {
	if x.conn == nil {
		return nil
	}
	return x.conn.Close()
}

// NewFleet instruments the services. What they count, they count from start.
func NewFleet(services []shop.Service, start time.Time, x *Exporters) (*Fleet, error) {
	f := &Fleet{services: services, start: start}
	for _, s := range services {
		res := resourceOf(s)
		m, err := newMeter(s, res)
		if err != nil {
			return nil, fmt.Errorf("instruments of %s: %w", s.Name, err)
		}
		f.meters = append(f.meters, m)
		f.journals = append(f.journals, newJournal(s, res, x.Spans, x.Logs))
	}
	return f, nil
}

// resourceOf says who a service is.
func resourceOf(s shop.Service) *resource.Resource {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s.Host + "/" + s.Name))
	return resource.NewSchemaless(
		attribute.String("service.namespace", "shop"),
		attribute.String("service.name", s.Name),
		attribute.String("service.version", s.Version),
		attribute.String("service.instance.id", fmt.Sprintf("%s-%016x", s.Name, h.Sum64())),
		attribute.String("host.name", s.Host),
	)
}

// Record takes one interval into the instruments, reads them and keeps the readings for [Fleet.Batches].
func (f *Fleet) Record(ctx context.Context, iv *shop.Interval) error {
	for i, m := range f.meters {
		if err := m.take(ctx, &iv.Services[i], f.start, iv.End); err != nil {
			return fmt.Errorf("metrics of %s: %w", f.services[i].Name, err)
		}
	}
	for _, r := range iv.Traces {
		f.trace(ctx, r)
	}
	return nil
}

// trace writes the spans and log records of a request and of all the calls below it.
func (f *Fleet) trace(ctx context.Context, r *shop.Request) {
	j := f.journals[r.Service]
	ctx, end := j.serve(ctx, r)
	defer end()
	for _, child := range r.Calls {
		inside, end := j.call(ctx, f.services[child.Service], child)
		f.trace(inside, child)
		end()
	}
}

// Batches hands out what was read since the last call: one batch for each service, each
// ordered by event time.
func (f *Fleet) Batches() []*metricdata.ResourceMetrics {
	var out []*metricdata.ResourceMetrics
	for _, m := range f.meters {
		if m.batch != nil {
			out = append(out, m.batch)
			m.batch = nil
		}
	}
	return out
}

// Flush sends the spans and log records that wait.
func (f *Fleet) Flush(ctx context.Context) error {
	var errs []error
	for _, j := range f.journals {
		errs = append(errs, j.flush(ctx))
	}
	return errors.Join(errs...)
}

// Shutdown ends all providers.
func (f *Fleet) Shutdown(ctx context.Context) error {
	var errs []error
	for i := range f.meters {
		errs = append(errs, f.meters[i].provider.Shutdown(ctx), f.journals[i].shutdown(ctx))
	}
	return errors.Join(errs...)
}
