// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package csv

import (
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"

	"github.com/auspex-otel/auspex/internal/engine"
)

// everything selects every verdict.
var everything = engine.Output{Select: engine.SelectAll}

// remembered is the number of batches within which the engine treats a value at the same time as a resend.
const remembered = engine.RecentBatches

// watch is an engine with a single series.
type watch struct {
	engine  *engine.Engine
	batch   pmetric.Metrics // of one data point
	point   pmetric.NumberDataPoint
	latest  int64 // time of the last judged point
	highest int64
	times   [remembered]int64 // of the latest points, a ring
	seen    int
}

func newWatch(cfg engine.Config) *watch {
	w := &watch{engine: engine.New(cfg, zap.NewNop()), batch: pmetric.NewMetrics()}
	m := w.batch.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName("value")
	w.point = m.SetEmptyGauge().DataPoints().AppendEmpty()
	return w
}

// observe passes a value to the engine. late reports that the value is at or before the latest time, judged that it
// has a verdict. A late value has a verdict only after the engine has returned to the earlier time.
func (w *watch) observe(t time.Time, v float64) (verdict engine.Verdict, late, judged bool) {
	now := t.UnixNano()
	late = w.seen > 0 && now <= w.latest
	if w.seen > 0 && now <= w.highest && w.repeats(now) {
		return verdict, true, false
	}
	w.highest = max(w.highest, now)
	w.times[w.seen%remembered] = now
	w.seen++
	w.point.SetTimestamp(pcommon.Timestamp(now))
	w.point.SetDoubleValue(v)
	if !late { // a collector's clock does not go back
		w.engine.Tick(t)
	}
	verdicts := w.engine.ObserveMetrics(w.batch, everything)
	if len(verdicts) == 0 {
		w.latest = max(w.latest, now)
		return verdict, late, false
	}
	w.latest = now
	return verdicts[0], false, true
}

func (w *watch) repeats(t int64) bool { return slices.Contains(w.times[:min(w.seen, remembered)], t) }

// falseAlarms returns the openings per week that the engine accepts in a series without a fault: its α per decision,
// times the openings per exceedance, times the points per week.
func (w *watch) falseAlarms() float64 {
	s := w.engine.Status().Signals[engine.SignalMetrics]
	return 7 * float64(s.DecisionsPerDay) * s.Alpha * s.Theta
}
