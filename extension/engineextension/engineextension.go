// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engineextension

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensioncapabilities"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/auspex-otel/auspex/extension/engineextension/internal/metadata"
	"github.com/auspex-otel/auspex/internal/engine"
	"github.com/auspex-otel/auspex/internal/policy"
)

const tickInterval = time.Second

var (
	_ engine.Provider                       = (*engineExtension)(nil)
	_ extensioncapabilities.ConfigWatcher   = (*engineExtension)(nil)
	_ extensioncapabilities.Dependent       = (*engineExtension)(nil)
	_ extensioncapabilities.PipelineWatcher = (*engineExtension)(nil)
)

type engineExtension struct {
	id        component.ID
	cfg       *Config
	logger    *zap.Logger
	engine    *engine.Engine
	telemetry *metadata.TelemetryBuilder
	settings  component.TelemetrySettings
	client    storage.Client
	schedule  *schedule   // nil unless it is configured
	forget    *time.Timer // discards unused history
	host      component.Host
	root      fs.FS // of the machine
	rejecting bool  // last reported status
	// registration holds the callback of register; nil before Start.
	registration metric.Registration
	stop         context.CancelFunc
	done         chan struct{}
	stopping     time.Time     // time of the call of NotReady
	first        chan struct{} // closed when the snapshot of NotReady is complete or has failed
	writing      time.Duration // duration of that snapshot; valid once first is closed
}

func newExtension(set extension.Settings, cfg *Config) (*engineExtension, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	policies, err := policy.Compile(cfg.Engine.Policies, set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	e := &engineExtension{
		id: set.ID, cfg: cfg, logger: set.Logger, telemetry: telemetry, settings: set.TelemetrySettings,
		engine: engine.New(cfg.Engine, set.Logger), root: os.DirFS("/"),
	}
	e.engine.SetPolicies(policies)
	return e, nil
}

// Engine returns the engine of this extension.
func (e *engineExtension) Engine() *engine.Engine { return e.engine }

// Dependencies makes the collector start the storage extension first and shut it down last.
func (e *engineExtension) Dependencies() []component.ID {
	if e.cfg.Storage == nil {
		return nil
	}
	return []component.ID{*e.cfg.Storage}
}

// Start restores the state, reads history, and starts the engine's clock.
func (e *engineExtension) Start(ctx context.Context, host component.Host) error {
	now := time.Now()
	e.host = host
	if e.cfg.Storage == nil {
		e.logger.Warn("storage is not set: the state is lost when the collector stops; set storage to a storage extension")
	} else if err := e.restore(ctx, host, now); err != nil {
		return err
	}
	e.engine.Tick(now)
	if e.cfg.Warmup.HasValue() {
		e.warmUp(ctx, host, now)
	}
	if e.cfg.ScheduleFile != "" {
		var err error
		if e.schedule, err = openSchedule(e.cfg.ScheduleFile, e.engine, e.logger); err != nil {
			return err
		}
	}
	if err := e.register(); err != nil {
		return err
	}
	runCtx, stop := context.WithCancel(context.Background())
	e.stop, e.done = stop, make(chan struct{})
	go e.run(runCtx)
	return nil
}

func (e *engineExtension) restore(ctx context.Context, host component.Host, now time.Time) error {
	ext, ok := host.GetExtensions()[*e.cfg.Storage]
	if !ok {
		return fmt.Errorf("storage: no extension %q is configured: add it under extensions and to service::extensions", e.cfg.Storage)
	}
	s, ok := ext.(storage.Extension)
	if !ok {
		return fmt.Errorf("storage: extension %q is not a storage extension, set the name of one such as file_storage", e.cfg.Storage)
	}
	client, err := s.GetClient(ctx, component.KindExtension, e.id, "")
	if err != nil {
		return fmt.Errorf("storage: cannot open %q: %w", e.cfg.Storage, err)
	}
	e.client = client
	if err := e.engine.Load(ctx, client, now); err != nil {
		return fmt.Errorf("storage: %q: %w", e.cfg.Storage, err)
	}
	return nil
}

// run ticks the engine and writes snapshots until ctx is done.
func (e *engineExtension) run(ctx context.Context) {
	defer close(e.done)
	tick, snapshot := time.NewTicker(tickInterval), time.NewTicker(e.cfg.SnapshotInterval)
	defer tick.Stop()
	defer snapshot.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			e.engine.Tick(now)
			e.reportRoom()
			if e.schedule != nil {
				e.schedule.write()
			}
		case now := <-snapshot.C:
			if err := e.snapshot(ctx, now); err != nil && ctx.Err() == nil {
				e.logger.Error("cannot write the snapshot, trying again; check the disk of the storage extension", zap.Duration("in", e.cfg.SnapshotInterval), zap.Error(err))
			}
		}
	}
}

// snapshot writes a snapshot and counts the outcome.
func (e *engineExtension) snapshot(ctx context.Context, now time.Time) error {
	err := e.engine.Snapshot(ctx, now)
	outcome := "written"
	if err != nil {
		outcome = "failed"
	}
	e.telemetry.ExtensionAnomalyEngineSnapshots.Add(ctx, 1, metric.WithAttributes(attribute.String("outcome", outcome)))
	return err
}

// register exports the engine's status as the collector's own telemetry. One callback serves all
// instruments, so that a scrape reads the status once.
func (e *engineExtension) register() error {
	t := e.telemetry
	registration, err := metadata.Meter(e.settings).RegisterCallback(func(_ context.Context, o metric.Observer) error {
		s := e.engine.Status()
		for signal, spent := range s.Signals {
			of := metric.WithAttributes(attribute.String("signal", signal.String()))
			o.ObserveFloat64(t.ExtensionAnomalyEngineAlpha, spent.Alpha, of)
			o.ObserveFloat64(t.ExtensionAnomalyEngineExtremalIndex, spent.Theta, of)
		}
		for reason, n := range s.Held {
			o.ObserveInt64(t.ExtensionAnomalyEngineHeldAnomalies, int64(n), metric.WithAttributes(attribute.String("reason", reason)))
		}
		for reason, n := range s.Refused {
			o.ObserveInt64(t.ExtensionAnomalyEngineRefusedPoints, int64(n), metric.WithAttributes(attribute.String("reason", reason)))
		}
		for timing, n := range s.Untimely {
			o.ObserveInt64(t.ExtensionAnomalyEngineUntimelyTimestamps, int64(n), metric.WithAttributes(attribute.String("timing", timing)))
		}
		o.ObserveInt64(t.ExtensionAnomalyEngineAnomalies, int64(s.AnomaliesOpened))
		o.ObserveInt64(t.ExtensionAnomalyEngineOpenAnomalies, int64(s.OpenAnomalies))
		o.ObserveInt64(t.ExtensionAnomalyEnginePendingFindings, int64(s.PendingFindings))
		o.ObserveInt64(t.ExtensionAnomalyEnginePoints, int64(s.Points))
		o.ObserveInt64(t.ExtensionAnomalyEngineSeries, int64(s.Series))
		o.ObserveInt64(t.ExtensionAnomalyEngineSeriesEvicted, int64(s.Evicted))
		o.ObserveInt64(t.ExtensionAnomalyEngineSeriesLearning, int64(s.Warming))
		o.ObserveInt64(t.ExtensionAnomalyEngineSeriesWarmed, int64(e.engine.Warmed()))
		o.ObserveFloat64(t.ExtensionAnomalyEngineFalseAlarmsPerDay, s.FalseAlarmsPerDay)
		return nil
	}, t.ExtensionAnomalyEngineAlpha, t.ExtensionAnomalyEngineExtremalIndex, t.ExtensionAnomalyEngineHeldAnomalies, t.ExtensionAnomalyEngineRefusedPoints, t.ExtensionAnomalyEngineAnomalies,
		t.ExtensionAnomalyEngineOpenAnomalies, t.ExtensionAnomalyEnginePendingFindings, t.ExtensionAnomalyEnginePoints, t.ExtensionAnomalyEngineSeries,
		t.ExtensionAnomalyEngineSeriesEvicted, t.ExtensionAnomalyEngineSeriesLearning, t.ExtensionAnomalyEngineSeriesWarmed, t.ExtensionAnomalyEngineUntimelyTimestamps,
		t.ExtensionAnomalyEngineFalseAlarmsPerDay)
	e.registration = registration
	return err
}
