// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package elasticsearchexporter

import (
	"context"
	"fmt"
	"strconv"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/auspex-otel/auspex/exporter/elasticsearchexporter/internal/document"
	"github.com/auspex-otel/auspex/exporter/elasticsearchexporter/internal/metadata"
	"github.com/auspex-otel/auspex/internal/deadletter"
	"github.com/auspex-otel/auspex/internal/logutil"
	"github.com/auspex-otel/auspex/internal/shutdown"
)

// window writes the batches of one signal.
type window struct {
	cfg       *Config
	set       exporter.Settings
	signal    string
	telemetry *metadata.TelemetryBuilder
	encoder   document.Encoder
	letters   *deadletter.Writer // nil: dead_letter::directory is not set
	log       *logutil.Limiter

	bulk      *bulk
	templates *templates
	client    *client
	stop      chan struct{}
	stopOnce  sync.Once
	cutoff    shutdown.Cutoff // cancels requests to Elasticsearch
}

func newWindow(set exporter.Settings, cfg *Config, signal string) (*window, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	w := &window{cfg: cfg, set: set, signal: signal, telemetry: telemetry, stop: make(chan struct{}), encoder: document.Encoder{
		Mode: cfg.Mapping.mode(), Allowed: cfg.Mapping.allowed(),
		LogsIndex: cfg.LogsIndex, MetricsIndex: cfg.MetricsIndex, TracesIndex: cfg.TracesIndex,
		IncidentsIndex: cfg.IncidentsIndex, Pipeline: cfg.Pipeline,
		LogsDynamicID: cfg.LogsDynamicID.Enabled, TracesDynamicID: cfg.TracesDynamicID.Enabled,
		LogsDynamicPipeline: cfg.LogsDynamicPipeline.Enabled,
	}}
	w.letters = deadletter.New(cfg.DeadLetter, component.KindExporter, set.ID, set.Logger)
	w.log = logutil.NewLimiter(set.Logger)
	return w, nil
}

func (w *window) options() []exporterhelper.Option {
	return []exporterhelper.Option{
		exporterhelper.WithStart(w.start),
		exporterhelper.WithShutdown(w.end),
		// The client's timeout applies to one request. A call may send several.
		exporterhelper.WithTimeout(exporterhelper.TimeoutConfig{Timeout: 0}),
		exporterhelper.WithRetry(w.cfg.RetryConfig),
		exporterhelper.WithQueue(w.cfg.QueueConfig),
	}
}

func (w *window) start(ctx context.Context, host component.Host) error {
	client, err := newClient(ctx, w.cfg, host, w.set.TelemetrySettings)
	if err != nil {
		return err
	}
	w.client = client
	w.bulk = &bulk{
		client: client, telemetry: w.telemetry, retry: w.cfg.Retry, source: w.cfg.IncludeSourceOnError, bury: w.bury, stop: w.stop,
	}
	w.bulk.size.Store(int64(w.cfg.MaxBulkBytes))
	if w.cfg.Templates.Enabled {
		w.templates = &templates{client: client, logger: w.set.Logger, names: templatesOf[w.signal], incidents: w.cfg.IncidentsIndex}
	}
	if w.letters != nil {
		if err := w.letters.Prepare(); err != nil {
			return fmt.Errorf("exporters::%s::dead_letter::directory: cannot write dead letters: %w", w.set.ID, err)
		}
	} else if w.cfg.QueueConfig.HasValue() {
		w.set.Logger.Warn("Documents that Elasticsearch rejects permanently are dropped after they were acknowledged: set dead_letter::directory to keep them")
	}
	return nil
}

// hurry ends pauses between tries, and requests after shutdown.Drain, so that unwritten data
// returns to the queue. The caller calls done when the queue has stopped.
func (w *window) hurry() (done func()) {
	w.stopOnce.Do(func() { close(w.stop) })
	return w.cutoff.After(shutdown.Drain)
}

func (w *window) end(ctx context.Context) error {
	w.telemetry.Shutdown()
	if w.client == nil {
		return nil
	}
	return w.client.close(ctx)
}

// write sends documents, and returns the origins of the remaining ones.
func (w *window) write(ctx context.Context, docs []document.Document) (map[int]bool, error) {
	ctx, cancel := w.cutoff.Context(ctx)
	defer cancel()
	if w.templates != nil && len(docs) > 0 {
		if err := w.templates.install(ctx); err != nil {
			return all(docs), fmt.Errorf("cannot install index templates: %w", err)
		}
	}
	return w.bulk.write(ctx, docs)
}

func all(docs []document.Document) map[int]bool {
	origins := make(map[int]bool, len(docs))
	for _, d := range docs {
		origins[d.Origin] = true
	}
	return origins
}

func (w *window) pushLogs(ctx context.Context, ld plog.Logs) error {
	left, err := w.write(ctx, w.encoder.Logs(ld))
	if len(left) == 0 {
		return err
	}
	return consumererror.NewLogs(err, document.SubsetLogs(ld, left))
}

func (w *window) pushTraces(ctx context.Context, td ptrace.Traces) error {
	left, err := w.write(ctx, w.encoder.Traces(td))
	if len(left) == 0 {
		return err
	}
	return consumererror.NewTraces(err, document.SubsetTraces(td, left))
}

func (w *window) pushMetrics(ctx context.Context, md pmetric.Metrics) error {
	left, err := w.write(ctx, w.encoder.Metrics(md))
	if len(left) == 0 {
		return err
	}
	return consumererror.NewMetrics(err, document.SubsetMetrics(md, left))
}

// bury writes documents to the dead letter. Without a dead letter it drops them and returns the
// error for the sender.
func (w *window) bury(ctx context.Context, letters []letter) (dropped bool, err error) {
	if len(letters) == 0 {
		return false, nil
	}
	first := letters[0]
	// The reason may quote the document, which must not appear in a log.
	fields := []zap.Field{zap.String("first_index", first.Index), zap.Int("first_status", first.Status), zap.String("first_type", first.Type)}
	if w.letters == nil {
		w.countLetters(ctx, w.telemetry.ExporterElasticsearchDropped, letters)
		w.log.Error("dropped", len(letters), "Documents that Elasticsearch rejects permanently are dropped: set dead_letter::directory to keep them", fields...)
		return true, consumererror.NewPermanent(fmt.Errorf("Elasticsearch rejected %d documents, the first with %d %s: %s", //nolint:staticcheck // a name
			len(letters), first.Status, first.Type, first.Reason))
	}
	discarded, err := w.letters.Write(w.records(letters))
	if discarded > 0 {
		w.telemetry.ExporterElasticsearchDeadLettersDiscarded.Add(ctx, int64(discarded))
	}
	if err != nil {
		return false, err
	}
	w.countLetters(ctx, w.telemetry.ExporterElasticsearchDeadLetters, letters)
	w.log.Warn("letters", len(letters), "Documents that Elasticsearch rejects permanently are in the dead letter", append(fields, zap.String("folder", w.letters.Folder()))...)
	return false, nil
}

func (w *window) countLetters(ctx context.Context, counter metric.Int64Counter, letters []letter) {
	for _, l := range letters {
		w.bulk.count(ctx, counter, 1, attribute.String("reason", l.Type))
	}
}

// records returns the dead letters of documents. The attributes are the target of a document and
// the answer of Elasticsearch.
func (w *window) records(letters []letter) []deadletter.Letter {
	all := make([]deadletter.Letter, len(letters))
	for i, l := range letters {
		all[i] = deadletter.Letter{
			Signal: w.signal, Items: 1, Reason: l.Reason, Payload: l.Body,
			Attributes: map[string]string{"index": l.Index, "id": l.ID, "status": strconv.Itoa(l.Status), "type": l.Type},
		}
	}
	return all
}
