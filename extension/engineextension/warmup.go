// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engineextension

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.uber.org/zap"

	"github.com/auspex-otel/auspex/internal/mask"
	"github.com/auspex-otel/auspex/internal/warmup"
)

// historyTTL is the time that a history waits for its series.
const historyTTL = time.Hour

// warmUp reads history and passes it to the engine. The pipelines have not started, so no point
// precedes it. Errors are logged and do not prevent the start; series without history start cold.
func (e *engineExtension) warmUp(ctx context.Context, host component.Host, now time.Time) {
	cfg := e.cfg.Warmup.Get()
	log := e.logger.With(zap.String("endpoint", mask.Addresses(cfg.Prometheus.Client.Endpoint)))
	log.Info("warm start: reading history", zap.Duration("lookback", cfg.Lookback), zap.Duration("timeout", cfg.Timeout))
	room := e.cfg.Engine.MaxSeries - e.engine.Status().Series
	r, err := warmup.Load(ctx, cfg, host, e.settings, e.engine, room, now)
	took := time.Since(now).Round(time.Millisecond)
	log = log.With(zap.Int("streams", r.Read), zap.Int("of", r.Listed), zap.Int("series", r.Series), zap.Int("without_room", r.NoRoom),
		zap.Int("not_understood", r.NotUnderstood), zap.Int64("samples", r.Samples), zap.Int64("requests", r.Requests), zap.Duration("took", took))
	switch {
	case err != nil && r.Series == 0:
		log.Error("warm start: cannot read any history, all series start cold", zap.Error(err))
	case err != nil:
		log.Error("warm start: cannot read a part of the history, its series start cold", zap.Error(err))
	case r.NoRoom > 0:
		log.Warn("warm start: the history has more than max_series series, the rest start cold: narrow warmup::prometheus::match")
	default:
		log.Info("warm start: done")
	}
	e.forget = time.AfterFunc(historyTTL, func() { e.engine.SetHistory(nil) })
}
