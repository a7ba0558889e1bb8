// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"io"
	"iter"
	"math"
	"time"

	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"

	"github.com/auspex-otel/auspex/internal/charts"
	"github.com/auspex-otel/auspex/internal/engine/budget"
	"github.com/auspex-otel/auspex/internal/policy"
)

// SetPolicies sets the policies. It must be called before the first observation.
func (e *Engine) SetPolicies(s *policy.Set) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.judge.SetPolicies(s)
}

// SetCharts sets a store in which every timely point is recorded.
func (e *Engine) SetCharts(s *charts.Store) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.judge.SetCharts(s)
}

// SetHistory sets a history, or with nil removes it.
func (e *Engine) SetHistory(h History) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.judge.SetHistory(h)
}

// ReadSchedule reads what Published has returned, one record of JSON per line. An error names the line.
func ReadSchedule(r io.Reader) (*Schedule, error) { return budget.ReadSchedule(r) }

// Published returns the changes of thresholds and tables by which points are judged since it was last called. With all,
// and at the first call, it returns the present ones. The caller must call it regularly from then on.
func (e *Engine) Published(all bool) []ScheduleRecord {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.judge.Published(all)
}

// Warmed returns the number of series that began with a past.
func (e *Engine) Warmed() uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.judge.Warmed()
}

// Origins yields the identity of every stream that the engine knows, in each
// form that it may have come in. It may be called before telemetry arrives only.
func (e *Engine) Origins() iter.Seq[Origin] {
	return func(yield func(Origin) bool) {
		defer e.lockAll()()
		e.judge.Origins()(yield)
	}
}

// Study learns from history in a separate engine whose findings are discarded:
// history opens nothing and reports nothing. History takes the same path as live
// points, so that rates, resets, and histograms are handled in one place. A study is
// not safe for concurrent use. Several studies may run at once.
type Study struct{ engine *Engine }

// NewStudy returns a study that has the settings of this engine. Nothing in it ages.
func (e *Engine) NewStudy() *Study {
	cfg := e.cfg
	cfg.MaxSeries, cfg.SeriesTTL = math.MaxInt, 0
	s := &Study{New(cfg, zap.NewNop())}
	s.engine.Tick(time.Unix(0, math.MaxInt64/2)) // no history lies ahead of it
	return s
}

// Observe learns data points, those of each stream in the order of time. One name stands for one stream.
func (s *Study) Observe(md pmetric.Metrics) { s.engine.ObserveMetrics(md, Output{Select: SelectNone}) }

// Pasts ends the study and yields what was learned of each stream, by the name of its metric.
func (s *Study) Pasts() iter.Seq2[string, *Past] { return s.engine.judge.Pasts() }
