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

// historyTTL is how long a history waits for the series it is of.
const historyTTL = time.Hour

// warmUp reads history and gives it to the engine. The pipelines have not
// started yet, so that no point comes before it. Whatever fails is said, and
// what could not be read starts cold: history is a help, never a condition.
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
		log.Error("warm start: no history could be read, everything starts cold", zap.Error(err))
	case err != nil:
		log.Error("warm start: a part of the history could not be read and starts cold", zap.Error(err))
	case r.NoRoom > 0:
		log.Warn("warm start: there is more history than max_series, the rest starts cold: narrow warmup::prometheus::match")
	default:
		log.Info("warm start: done")
	}
	e.forget = time.AfterFunc(historyTTL, func() { e.engine.SetHistory(nil) })
}
