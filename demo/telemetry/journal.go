// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/auspex-otel/auspex/demo/shop"
)

// journal is the tracing and logging side of one service.
type journal struct {
	service shop.Service
	spans   *sdktrace.TracerProvider
	records *sdklog.LoggerProvider
	tracer  trace.Tracer
	logger  log.Logger
}

// newJournal returns the tracer and the logger of a service. All services share the exporters.
func newJournal(s shop.Service, res *resource.Resource, spans sdktrace.SpanExporter, records sdklog.Exporter) *journal {
	j := &journal{
		service: s,
		spans: sdktrace.NewTracerProvider(sdktrace.WithResource(res),
			sdktrace.WithSampler(sdktrace.AlwaysSample()), sdktrace.WithBatcher(spans)),
		records: sdklog.NewLoggerProvider(sdklog.WithResource(res),
			sdklog.WithProcessor(sdklog.NewBatchProcessor(records))),
	}
	j.tracer, j.logger = j.spans.Tracer(scope), j.records.Logger(scope)
	return j
}

// status is the HTTP status code of a request.
func status(failed bool) int {
	if failed {
		return 500
	}
	return 200
}

// endpoint is the name of the service's span.
func (j *journal) endpoint() string { return j.service.Method + " " + j.service.Route }

// serve writes the server's span of a request into ctx and its log record. end ends the span.
func (j *journal) serve(ctx context.Context, r *shop.Request) (_ context.Context, end func()) {
	ctx, span := j.tracer.Start(ctx, j.endpoint(), trace.WithTimestamp(r.Start), trace.WithSpanKind(trace.SpanKindServer),
		trace.WithAttributes(
			attribute.String("http.request.method", j.service.Method),
			attribute.String("http.route", j.service.Route),
			attribute.Int("http.response.status_code", status(r.Failed))))
	if r.Failed {
		span.SetAttributes(attribute.String("error.type", "500"))
		span.SetStatus(codes.Error, "")
	}
	return ctx, func() {
		j.log(ctx, r)
		span.End(trace.WithTimestamp(r.Start.Add(r.Duration)))
	}
}

// call writes the client's span of a call into ctx. end ends it.
func (j *journal) call(ctx context.Context, to shop.Service, r *shop.Request) (_ context.Context, end func()) {
	ctx, span := j.tracer.Start(ctx, to.Method, trace.WithTimestamp(r.Start), trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(
			attribute.String("http.request.method", to.Method),
			attribute.String("server.address", to.Name),
			attribute.Int("http.response.status_code", status(r.Failed))))
	if r.Failed {
		span.SetAttributes(attribute.String("error.type", "500"))
		span.SetStatus(codes.Error, "")
	}
	return ctx, func() { span.End(trace.WithTimestamp(r.Start.Add(r.Duration))) }
}

// log writes the log record of a request; ctx carries the span that it belongs to.
func (j *journal) log(ctx context.Context, r *shop.Request) {
	var record log.Record
	record.SetTimestamp(r.Start.Add(r.Duration))
	record.SetObservedTimestamp(r.Start.Add(r.Duration))
	record.SetSeverity(log.SeverityInfo)
	record.SetSeverityText("INFO")
	body := fmt.Sprintf("%s answered %d in %d ms", j.endpoint(), status(r.Failed), r.Duration/time.Millisecond)
	if r.FailedHere {
		record.SetSeverity(log.SeverityError)
		record.SetSeverityText("ERROR")
		body = fmt.Sprintf("%s failed after %d ms: %s", j.endpoint(), r.Duration/time.Millisecond, j.service.Trouble)
	}
	record.SetBody(log.StringValue(body))
	record.AddAttributes(log.String("http.route", j.service.Route))
	j.logger.Emit(ctx, record)
}

// flush sends what waits.
func (j *journal) flush(ctx context.Context) error {
	return errors.Join(j.spans.ForceFlush(ctx), j.records.ForceFlush(ctx))
}

// shutdown sends what waits and ends the providers.
func (j *journal) shutdown(ctx context.Context) error {
	return errors.Join(j.spans.Shutdown(ctx), j.records.Shutdown(ctx))
}
