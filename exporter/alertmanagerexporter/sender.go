// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package alertmanagerexporter

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/auspex-otel/auspex/exporter/alertmanagerexporter/internal/metadata"
	"github.com/auspex-otel/auspex/internal/deadletter"
	"github.com/auspex-otel/auspex/internal/exporterutil"
	"github.com/auspex-otel/auspex/internal/logutil"
	"github.com/auspex-otel/auspex/internal/shutdown"
)

// sender sends alerts when incidents change, and again while they are open.
type sender struct {
	cfg       *Config
	set       exporter.Settings
	targets   []target
	telemetry *metadata.TelemetryBuilder
	letters   *deadletter.Writer // nil: dead_letter::directory is not set
	log       *logutil.Limiter
	cutoff    shutdown.Cutoff
	client    *http.Client

	// sending is held from the choice of alerts until all Alertmanagers have responded.
	// An older update can therefore not arrive after a newer one.
	sending sync.Mutex
	mu      sync.Mutex // guards table
	table   table
	storage storage.Client // nil: storage is not set

	stop context.CancelFunc // nil before start
	done chan struct{}      // closed when resend has ended
}

func newSender(cfg *Config, set exporter.Settings) (*sender, error) {
	targets, err := cfg.targets()
	if err != nil {
		return nil, err
	}
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	return &sender{
		cfg: cfg, set: set, targets: targets, telemetry: telemetry,
		letters: deadletter.New(cfg.DeadLetter, component.KindExporter, set.ID, set.Logger),
		log:     logutil.NewLimiter(set.Logger),
		table:   table{entries: map[string]*entry{}, limit: maxAlerts, resend: cfg.ResendInterval, stale: cfg.StaleAfter},
	}, nil
}

func (s *sender) start(ctx context.Context, host component.Host) error {
	var err error
	if s.client, err = s.cfg.Client.ToClient(ctx, host.GetExtensions(), s.set.TelemetrySettings); err != nil {
		return err
	}
	exporterutil.RefuseRedirects(s.client)
	if s.letters != nil {
		if err := s.letters.Prepare(); err != nil {
			return fmt.Errorf("exporters::%s::dead_letter::directory: dead letters cannot be written: %w", s.set.ID, err)
		}
	}
	if s.cfg.Storage != nil {
		if s.storage, err = open(ctx, host, *s.cfg.Storage, s.set.ID); err != nil {
			return err
		}
		if err := s.table.load(ctx, s.storage); err != nil {
			s.set.Logger.Error("The alerts of open incidents cannot be read from storage. They resolve until the incident has an update.", zap.Error(err))
		}
	}
	err = s.telemetry.RegisterExporterAlertmanagerFiringAlertsCallback(func(_ context.Context, o metric.Int64Observer) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		o.Observe(int64(s.table.firing()))
		return nil
	})
	if err != nil {
		return err
	}
	runCtx, stop := context.WithCancel(context.Background())
	s.stop, s.done = stop, make(chan struct{})
	go s.resend(runCtx, len(s.table.entries) > 0)
	return nil
}

func (s *sender) shutdown(ctx context.Context) error {
	s.telemetry.Shutdown()
	if s.stop != nil {
		s.stop()
		<-s.done
	}
	if s.client != nil {
		s.client.CloseIdleConnections()
	}
	if s.storage != nil {
		return s.storage.Close(ctx)
	}
	return nil
}

// push sends the alerts of the incidents in a batch. The error is retryable if no
// Alertmanager accepted them, and permanent if all rejected them and there is no dead letter.
func (s *sender) push(ctx context.Context, ld plog.Logs) error {
	updates := s.cfg.incidents(ld)
	if len(updates) == 0 {
		return nil
	}
	return s.send(ctx, func(ctx context.Context) []alert { return s.accept(ctx, updates, time.Now()) })
}

// accept puts updates into the table, and returns the alerts that follow from them.
func (s *sender) accept(ctx context.Context, updates []update, now time.Time) []alert {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []string
	for _, u := range updates {
		newest, evicted := s.table.put(u, now)
		if newest {
			ids = append(ids, u.ID)
		}
		if evicted > 0 {
			s.telemetry.ExporterAlertmanagerEvictedAlerts.Add(ctx, int64(evicted))
			s.log.Warn("evicted", evicted, "An alert is no longer resent, because more incidents are open than the exporter holds.", zap.Int("limit", s.table.limit))
		}
	}
	ids = slices.DeleteFunc(ids, func(id string) bool { return s.table.entries[id] == nil })
	s.save(ctx)
	return s.table.alerts(now, ids)
}

// resend sends all alerts in each interval, and at the start if there are any, until ctx ends.
func (s *sender) resend(ctx context.Context, restored bool) {
	defer close(s.done)
	ticker := time.NewTicker(s.cfg.ResendInterval)
	defer ticker.Stop()
	if restored {
		s.sendAll(ctx)
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			s.sendAll(ctx)
		}
	}
}

// sendAll sends all alerts, and logs a failure.
func (s *sender) sendAll(ctx context.Context) {
	err := s.send(ctx, func(ctx context.Context) []alert { return s.current(ctx, time.Now()) })
	if err != nil && ctx.Err() == nil {
		s.log.Error("resend", 1, "Alerts of open incidents could not be sent again. The next attempt follows.",
			zap.Duration("in", s.cfg.ResendInterval), zap.Error(err))
	}
}

// current expires what is too old, and returns all other alerts.
func (s *sender) current(ctx context.Context, now time.Time) []alert {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := len(s.table.entries)
	if stale := s.table.expire(now); stale > 0 {
		s.telemetry.ExporterAlertmanagerEvictedAlerts.Add(ctx, int64(stale))
		s.log.Warn("stale", stale, "Incidents had no update within stale_after. Their alerts are no longer resent.", zap.Duration("stale_after", s.cfg.StaleAfter))
	}
	if len(s.table.entries) < before {
		s.save(ctx)
	}
	return s.table.alerts(now, slices.Collect(maps.Keys(s.table.entries)))
}

// save writes the table. A failure does not keep alerts from being sent.
func (s *sender) save(ctx context.Context) {
	if s.storage == nil {
		return
	}
	if err := s.table.save(ctx, s.storage); err != nil && ctx.Err() == nil {
		s.log.Error("storage", 1, "The alerts of open incidents cannot be written to storage. After a restart, they resolve until the incident has an update.", zap.Error(err))
	}
}

// drop removes the incidents of rejected alerts, so that these are not sent again.
func (s *sender) drop(ctx context.Context, alerts []alert) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range alerts {
		delete(s.table.entries, a.Labels[labelIncident])
	}
	s.save(ctx)
}

// permanent returns the error of alerts that were dropped.
func permanent(n int, reason string) error {
	return consumererror.NewPermanent(fmt.Errorf("alertmanager rejects %d alerts: %s", n, reason))
}
