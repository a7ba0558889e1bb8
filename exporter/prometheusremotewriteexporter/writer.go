// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package prometheusremotewriteexporter

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"

	"github.com/klauspost/compress/s2"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/resourcetotelemetry"
	prometheustranslator "github.com/open-telemetry/opentelemetry-collector-contrib/pkg/translator/prometheus"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/translator/prometheusremotewrite"
	"github.com/prometheus/otlptranslator"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configcompression"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"

	"github.com/auspex-otel/auspex/exporter/prometheusremotewriteexporter/internal/metadata"
	"github.com/auspex-otel/auspex/internal/deadletter"
	"github.com/auspex-otel/auspex/internal/exporterutil"
	"github.com/auspex-otel/auspex/internal/logutil"
	"github.com/auspex-otel/auspex/internal/mask"
	"github.com/auspex-otel/auspex/internal/shutdown"
)

// writer converts batches to requests, and processes the responses.
type writer struct {
	cfg       *Config
	set       exporter.Settings
	wire      wire
	labels    labeler
	settings  prometheusremotewrite.Settings
	userAgent string
	convert   consumer.Metrics // converts resource attributes to labels, then writes
	telemetry *metadata.TelemetryBuilder
	client    *http.Client
	letters   *deadletter.Writer // nil: dead_letter::directory is not set
	log       *logutil.Limiter
	buffers   sync.Pool // of *[]byte, for bodies before compression
	cutoff    shutdown.Cutoff
}

func newWriter(cfg *Config, set exporter.Settings) (*writer, error) {
	external, err := labelNames(cfg.ExternalLabels)
	if err != nil {
		return nil, fmt.Errorf("external_labels: %w", err)
	}
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	w := &writer{
		cfg: cfg, set: set, telemetry: telemetry, labels: newLabeler(cfg),
		userAgent: set.BuildInfo.Command + "/" + set.BuildInfo.Version,
		settings: prometheusremotewrite.Settings{
			Namespace:                       cfg.Namespace,
			ExternalLabels:                  external,
			DisableTargetInfo:               !cfg.TargetInfo.Enabled,
			DisableScopeInfo:                cfg.DisableScopeInfo,
			AddMetricSuffixes:               cfg.AddMetricSuffixes,
			TranslationStrategy:             cfg.TranslationStrategy,
			SendMetadata:                    cfg.SendMetadata,
			ConvertExplicitHistogramsToNHCB: cfg.ConvertExplicitHistogramsToNHCB,
			KeepClassicHistograms:           cfg.KeepClassicHistograms,
		},
		buffers: sync.Pool{New: func() any { return new([]byte) }},
	}
	target := otlptranslator.TargetInfoMetricName
	if cfg.Namespace != "" {
		target = cfg.Namespace + "_" + target
	}
	w.wire = wireV1{target}
	if cfg.ProtobufMessage == messageV2 {
		w.wire = wireV2{target}
	}
	w.letters = deadletter.New(cfg.DeadLetter, component.KindExporter, set.ID, set.Logger)
	w.log = logutil.NewLimiter(set.Logger)
	w.convert = resourcetotelemetry.WrapMetricsExporter(cfg.ResourceToTelemetry, last{write: w.write})
	return w, nil
}

// labelNames converts configured names to label names.
func labelNames(labels map[string]string) (map[string]string, error) {
	// The translator names labels so, and deprecated or not, these must be named alike.
	namer := otlptranslator.LabelNamer{UnderscoreLabelSanitization: !prometheustranslator.DropSanitizationGate.IsEnabled()} //nolint:staticcheck // see above
	named := make(map[string]string, len(labels))
	for key, value := range labels {
		name, err := namer.Build(key)
		if err != nil {
			return nil, err
		}
		named[name] = value
	}
	return named, nil
}

// last adapts write to the exporter that the conversion of resource attributes requires.
type last struct {
	component.StartFunc
	component.ShutdownFunc
	write consumer.ConsumeMetricsFunc
}

func (last) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (l last) ConsumeMetrics(ctx context.Context, md pmetric.Metrics) error { return l.write(ctx, md) }

func (w *writer) start(ctx context.Context, host component.Host) error {
	cfg := w.cfg.Client
	cfg.Compression = configcompression.Type("") // the body is compressed here
	var err error
	if w.client, err = cfg.ToClient(ctx, host.GetExtensions(), w.set.TelemetrySettings); err != nil {
		return err
	}
	exporterutil.RefuseRedirects(w.client)
	if w.letters != nil {
		if err = w.letters.Prepare(); err != nil {
			return fmt.Errorf("exporters::%s::dead_letter::directory: cannot write dead letters: %w", w.set.ID, err)
		}
	}
	return nil
}

func (w *writer) shutdown(context.Context) error {
	if w.client != nil {
		w.client.CloseIdleConnections()
	}
	w.telemetry.Shutdown()
	return nil
}

// push writes a batch. It may be called again with the unwritten part.
func (w *writer) push(ctx context.Context, md pmetric.Metrics) error {
	ctx, cancel := w.cutoff.Context(ctx)
	defer cancel()
	return w.convert.ConsumeMetrics(ctx, md)
}

func (w *writer) write(ctx context.Context, md pmetric.Metrics) error {
	md = w.labels.rename(md)
	b, errTranslate := w.wire.translate(md, w.settings)
	limit := w.cfg.MaxBatchSizeBytes
	if limit == 0 {
		limit = defaultBatchBytes
	}
	parts := b.split(w.wire, limit)
	var refusals []error
	for i, part := range parts {
		letter, err := w.deliver(ctx, b, part)
		if err == nil && letter != nil {
			err = w.bury(ctx, b, letter, &refusals)
		}
		if err != nil {
			return w.unsent(ctx, err, md, parts, i)
		}
	}
	w.report(ctx, w.census(md, b, errTranslate))
	if len(refusals) > 0 {
		return consumererror.NewPermanent(errors.Join(refusals...))
	}
	return nil
}

// send encodes items and posts them.
func (w *writer) send(ctx context.Context, b *batch, items []*item) verdict {
	body, err := w.encode(b, items)
	if err != nil {
		return verdict{outcome: refused, reason: "encode: " + err.Error()}
	}
	v := w.post(ctx, body)
	n := sampleCount(items)
	if v.outcome == accepted {
		w.checkWritten(ctx, n, &v)
	}
	w.telemetry.ExporterPrometheusRemoteWriteRequests.Add(ctx, 1, w.attributes("outcome", string(v.outcome)))
	if v.outcome == accepted {
		w.telemetry.ExporterPrometheusRemoteWriteSentSamples.Add(ctx, int64(n), w.attributes())
	}
	return v
}

// checkWritten compares the number of samples that a 2.0 server reports as written with the
// number sent. A server that wrote none or reports none is treated as a 1.0 server, which parses
// such a request as empty and responds with success.
func (w *writer) checkWritten(ctx context.Context, sent int, v *verdict) {
	if _, ok := w.wire.(wireV2); !ok || sent == 0 || v.written >= sent {
		return
	}
	if v.written <= 0 {
		v.outcome = refused
		v.reason = fmt.Sprintf("%s, but the server does not confirm any of %d samples: if it does not support remote write 2.0, set protobuf_message: %s",
			v.reason, sent, messageV1)
		return
	}
	w.telemetry.ExporterPrometheusRemoteWriteUnwrittenSamples.Add(ctx, int64(sent-v.written), w.attributes())
	w.log.Warn("unwritten", sent-v.written, "The server accepted a request but did not write all of its samples. Check the server's log.")
}

// encode returns the compressed body in new memory, because a transport may still read the body
// of an abandoned request.
func (w *writer) encode(b *batch, items []*item) ([]byte, error) {
	buf := w.buffers.Get().(*[]byte)
	defer w.buffers.Put(buf)
	raw, err := w.wire.encode(b, items, *buf)
	if err != nil {
		return nil, err
	}
	*buf = raw[:0]
	return s2.EncodeSnappy(nil, raw), nil
}

// bury writes the rejected part of a batch to the dead letter. Without a dead letter it appends
// an error to refusals.
func (w *writer) bury(ctx context.Context, b *batch, l *letter, refusals *[]error) error {
	n := sampleCount(l.items)
	fields := []zap.Field{zap.Int("status", l.status), zap.String("reason", l.reason)}
	if w.letters == nil {
		w.log.Error("dropped", n, "The server rejected samples permanently, and they are dropped: set dead_letter::directory to keep them", fields...)
		*refusals = append(*refusals, fmt.Errorf("remote write: %d samples rejected: %s", n, l.reason))
	} else {
		if err := w.keep(ctx, b, l); err != nil {
			return err
		}
		w.log.Error("letters", n, "The server rejected samples permanently; they are in the dead letter", append(fields, zap.String("folder", w.letters.Folder()))...)
	}
	w.telemetry.ExporterPrometheusRemoteWriteRefusedSamples.Add(ctx, int64(n), w.attributes())
	return nil
}

// keep writes one letter. Its payload is the body of a request. Its attributes are the headers
// that are required to send the body again.
func (w *writer) keep(ctx context.Context, b *batch, l *letter) error {
	body, err := w.encode(b, l.items)
	if err != nil {
		return err
	}
	discarded, err := w.letters.Write([]deadletter.Letter{{
		Signal: "metrics", Items: sampleCount(l.items), Reason: l.reason, Payload: body,
		Attributes: map[string]string{
			"status": strconv.Itoa(l.status), "endpoint": mask.Addresses(w.cfg.Client.Endpoint),
			"content_type": w.wire.contentType(), "content_encoding": "snappy", "version": w.wire.version(),
		},
	}})
	if discarded > 0 {
		w.telemetry.ExporterPrometheusRemoteWriteDeadLettersDiscarded.Add(ctx, int64(discarded), w.attributes())
	}
	if err == nil {
		w.telemetry.ExporterPrometheusRemoteWriteDeadLetters.Add(ctx, 1, w.attributes())
	}
	return err
}
