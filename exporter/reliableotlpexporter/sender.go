// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package reliableotlpexporter

import (
	"context"
	"fmt"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.uber.org/zap"

	"github.com/auspex-otel/auspex/exporter/reliableotlpexporter/internal/metadata"
	"github.com/auspex-otel/auspex/internal/deadletter"
	"github.com/auspex-otel/auspex/internal/logutil"
	"github.com/auspex-otel/auspex/internal/mask"
	"github.com/auspex-otel/auspex/internal/shutdown"
)

// sender sends the batches of one signal through core's exporter.
type sender[T any] struct {
	signal[T]
	cfg       *Config
	set       exporter.Settings
	next      component.Component
	send      func(context.Context, T) error
	partial   func(error, T) error // returns the error that retries only a part of a batch
	letters   *deadletter.Writer   // nil: dead_letter::directory is not set
	log       *logutil.Limiter
	telemetry *metadata.TelemetryBuilder
	cutoff    shutdown.Cutoff // cancels requests to the next hop
}

func newSender[T, E any](set exporter.Settings, cfg *Config, sig signal[T], next component.Component,
	send func(context.Context, T) error, partial func(error, T) E,
) (*sender[T], error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	if cfg.Kafka.HasValue() {
		send = interruptible(send)
	}
	return &sender[T]{
		signal: sig, cfg: cfg, set: set, next: next, send: send, telemetry: telemetry,
		partial: func(err error, data T) error { return any(partial(err, data)).(error) },
		letters: deadletter.New(cfg.DeadLetter, component.KindExporter, set.ID, set.Logger),
		log:     logutil.NewLimiter(set.Logger),
	}, nil
}

func (s *sender[T]) options() []exporterhelper.Option {
	return []exporterhelper.Option{
		exporterhelper.WithStart(s.start),
		exporterhelper.WithShutdown(s.shutdown),
		// The timeout of core's exporter applies to one request. A batch may need several.
		exporterhelper.WithTimeout(exporterhelper.TimeoutConfig{}),
		exporterhelper.WithRetry(s.cfg.Retry),
		exporterhelper.WithQueue(s.cfg.Queue),
	}
}

func (s *sender[T]) start(ctx context.Context, host component.Host) error {
	if s.letters != nil {
		if err := s.letters.Prepare(); err != nil {
			return fmt.Errorf("exporters::%s::dead_letter::directory: cannot write dead letters: %w", s.set.ID, err)
		}
	} else if s.cfg.Queue.HasValue() {
		s.set.Logger.Warn("Data that the next hop rejects permanently is dropped after it was acknowledged: set dead_letter::directory to keep it")
	}
	if s.cfg.OTLPHTTP.HasValue() {
		host = hostWithRedirects{host}
	}
	return s.next.Start(ctx, host)
}

func (s *sender[T]) shutdown(ctx context.Context) error {
	s.telemetry.Shutdown()
	return s.next.Shutdown(ctx)
}

// push sends a batch in requests of at most max_request_bytes. Its error is either retryable,
// with the data to be sent again, or permanent if data was dropped because there is no dead
// letter.
func (s *sender[T]) push(ctx context.Context, data T) error {
	ctx, cancel := s.cutoff.Context(ctx)
	defer cancel()
	var dropped, err error
	var left []T
	for _, p := range s.parts(data) {
		if err != nil {
			left = append(left, p.data)
			continue
		}
		left, err = s.deliver(p.context(ctx), p.data, &dropped)
	}
	switch {
	case err == nil:
		return dropped
	case len(left) == 1:
		return s.partial(err, left[0])
	}
	rest := left[0]
	for _, part := range left[1:] {
		s.move(part, rest)
	}
	return s.partial(err, rest)
}

// parts returns the data by shard for Kafka, or as a whole for other targets.
func (s *sender[T]) parts(data T) []part[T] {
	if s.cfg.Kafka.HasValue() {
		return s.byShard(data)
	}
	return []part[T]{{data: data}}
}

// deliver sends data, in halves if it exceeds the maximum size or the limit of the next hop. It
// stops after the first retryable error, and returns that error with the unsent parts.
func (s *sender[T]) deliver(ctx context.Context, data T, dropped *error) (left []T, err error) {
	items, size := s.items(data), s.size(data)
	if limit := s.cfg.limit(); size > limit {
		if items > 1 {
			return s.halves(ctx, data, items, dropped)
		}
		reason := fmt.Errorf("the record has %d bytes in OTLP, max_request_bytes is %d", size, limit)
		return s.bury(ctx, data, items, reasonTooLarge, reason, dropped)
	}
	err = s.send(ctx, data)
	switch {
	case err == nil:
		return nil, nil
	case tooLarge(err) && items > 1:
		return s.halves(ctx, data, items, dropped)
	case rejected(err):
		return s.bury(ctx, data, items, reasonRejected, err, dropped)
	default:
		return []T{data}, mask.Error(retryable(err))
	}
}

func (s *sender[T]) halves(ctx context.Context, data T, items int, dropped *error) (left []T, err error) {
	left, err = s.deliver(ctx, s.cut(data, 0, items/2), dropped)
	rest := s.cut(data, items/2, items)
	if err != nil {
		return append(left, rest), err
	}
	return s.deliver(ctx, rest, dropped)
}

// bury writes data to the dead letter. If that fails, the data must be sent again.
func (s *sender[T]) bury(ctx context.Context, data T, items int, why reason, cause error, dropped *error) (left []T, err error) {
	cause = mask.Error(cause)
	fields := []zap.Field{zap.String("signal", s.name), zap.Error(cause)}
	if s.letters == nil {
		s.telemetry.ExporterReliableOtlpDropped.Add(ctx, int64(items), why)
		s.log.Error("dropped", items, "Records that can never be sent are dropped: set dead_letter::directory to keep them", fields...)
		*dropped = permanent(cause)
		return nil, nil
	}
	payload, err := s.marshal(data)
	if err != nil {
		return []T{data}, err
	}
	discarded, err := s.letters.Write([]deadletter.Letter{{Signal: s.name, Items: items, Reason: cause.Error(), Payload: payload}})
	if discarded > 0 {
		s.telemetry.ExporterReliableOtlpDeadLettersDiscarded.Add(ctx, int64(discarded))
	}
	if err != nil {
		return []T{data}, err
	}
	s.telemetry.ExporterReliableOtlpDeadLetters.Add(ctx, int64(items), why)
	s.log.Error("letters", items, "Records that can never be sent are in the dead letter", append(fields, zap.String("folder", s.letters.Folder()))...)
	return nil, nil
}
