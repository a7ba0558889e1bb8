// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package replay

import (
	"math"
	"time"

	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/auspex-otel/auspex/internal/engine"
	"github.com/auspex-otel/auspex/internal/engine/clock"
)

// everything selects every verdict.
var everything = engine.Output{Select: engine.SelectAll}

// Hooks receives the results of a shard.
type Hooks struct {
	// Findings receives anomalies and incidents that have changed. The engine reuses neither.
	Findings func(engine.Events)
	// Verdicts receives the verdicts on a batch of data points. It may be nil.
	Verdicts func(pmetric.Metrics, []engine.Verdict) error
	// Before is called before records that are due at a time, in nanoseconds. It may be nil.
	Before func(due int64)
}

// Shard passes batches of all signals to one engine, in event time and as a collector would have received them.
type Shard struct {
	engine  *engine.Engine
	store   store
	hooks   Hooks
	wait    int64 // nanoseconds that pieces wait for those of later batches
	points  int
	pieces  pieces
	now     int64
	due     int64 // of the latest batch
	reached int64 // of all batches, without wrong clocks
	gap     int64 // between the two latest times that were reached
}

// NewShard returns a shard without data.
func NewShard(cfg engine.Config, hooks Hooks) *Shard {
	s := newShard(hooks)
	s.engine = s.store.engine(cfg, time.Time{})
	return s
}

func newShard(hooks Hooks) *Shard {
	return &Shard{store: newStore(), hooks: hooks, wait: int64(disorder)}
}

// InOrder promises that no batch is due before an earlier one. What is due is then observed immediately, with the same
// results. The promise is not part of the state.
func (s *Shard) InOrder() { s.wait = 0 }

// Engine returns the engine of the shard.
func (s *Shard) Engine() *engine.Engine { return s.engine }

// Now returns the engine's clock.
func (s *Shard) Now() time.Time { return time.Unix(0, s.now).UTC() }

// Points returns the number of data points that were observed.
func (s *Shard) Points() int { return s.points }

// disorder bounds the step back in time between two batches.
const disorder = 2 * time.Minute

// Add adds a batch that is due at a time in nanoseconds, which is usually its earliest time. It then observes what no
// later batch can precede.
func (s *Shard) Add(x Batch, due int64) error {
	switch x.Signal {
	case SignalLogs:
		s.pieces.addLogs(x.Logs)
	case SignalTraces:
		s.pieces.addTraces(x.Traces)
	default:
		earliest := x.Earliest
		if earliest == 0 {
			earliest = due
		}
		s.pieces.addMetrics(x.Metrics, x.Points, earliest, x.Latest)
	}
	s.due = due
	s.reached = max(s.reached, due)
	return s.pieces.until(due-s.wait, s.piece)
}

// AddNext adds a batch that is due at its earliest time, or at the time of the previous batch if it has none.
func (s *Shard) AddNext(x Batch) error {
	if x.Earliest == 0 {
		return s.Add(x, s.due)
	}
	return s.Add(x, x.Earliest)
}

// piece passes a piece to the engine.
func (s *Shard) piece(x *piece) error {
	s.reach(x.due)
	due := min(x.due, s.reached+int64(clock.Tolerance))
	if s.hooks.Before != nil {
		s.hooks.Before(due)
	}
	s.tick(due)
	switch x.signal {
	case SignalLogs:
		s.engine.ObserveLogs(x.logs, false)
	case SignalTraces:
		s.engine.ObserveTraces(x.traces)
	default:
		s.points += x.points
		verdicts := s.engine.ObserveMetrics(x.metrics, everything)
		if s.hooks.Verdicts != nil {
			if err := s.hooks.Verdicts(x.metrics, verdicts); err != nil {
				return err
			}
		}
	}
	s.collect()
	return nil
}

// mostGaps is the maximum factor between a time gap and the adjacent ones.
const mostGaps = 3

// reach advances the reached time to that of a piece, unless the piece is far ahead of its neighbors, for example
// because a message contains points of a sender with a wrong clock.
func (s *Shard) reach(due int64) {
	far := max(int64(clock.Tolerance), mostGaps*s.gap)
	if s.pieces.Len() > 0 {
		far = max(far, mostGaps*(s.pieces.heap[0].time-due))
	}
	if gap := due - s.reached; gap > 0 && (gap <= far || s.reached == 0) {
		s.reached, s.gap = due, gap
	}
}

const (
	// tickEvery is the interval of clock ticks without data, in nanoseconds.
	tickEvery = int64(15 * time.Second)
	// mostTicks is the number of such ticks after which all timeouts have passed.
	mostTicks = 240
)

// tick advances the engine's clock. The clock does not go back with the data, and does not stop in gaps.
func (s *Shard) tick(t int64) {
	for n := 0; s.now > 0 && n < mostTicks && t > s.now+tickEvery; n++ {
		s.now += tickEvery
		s.engine.Tick(time.Unix(0, s.now))
		s.collect()
	}
	if t > s.now {
		s.now = t
		s.engine.Tick(time.Unix(0, s.now))
	}
}

// closing exceeds the time that windows of logs and spans wait for late records.
const closing = time.Minute

// End observes the remaining pieces, and advances the clock until all windows of logs and spans have closed.
func (s *Shard) End() error {
	if err := s.pieces.until(math.MaxInt64, s.piece); err != nil {
		return err
	}
	if s.hooks.Before != nil {
		s.hooks.Before(math.MaxInt64)
	}
	s.engine.Tick(time.Unix(0, s.now).Add(closing))
	s.collect()
	return nil
}

// collect reads the findings, because the engine holds a bounded number of them.
func (s *Shard) collect() {
	events := s.engine.PendingEvents()
	s.hooks.Findings(events)
	s.engine.DeliveredEvents(events)
}
