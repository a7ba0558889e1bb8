// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"runtime"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/auspex-otel/auspex/internal/engine/causes"
	"github.com/auspex-otel/auspex/internal/engine/judge"
	"github.com/auspex-otel/auspex/internal/engine/logs"
	"github.com/auspex-otel/auspex/internal/engine/outlet"
	"github.com/auspex-otel/auspex/internal/engine/recent"
	"github.com/auspex-otel/auspex/internal/engine/room"
	"github.com/auspex-otel/auspex/internal/engine/shards"
	"github.com/auspex-otel/auspex/internal/engine/spans"
)

// RecentBatches is the number of batches whose verdicts are remembered, for each signal.
const RecentBatches = recent.Most

const (
	// pointsPerHelper is the number of points of a batch for each goroutine that helps to judge it. One point takes
	// about 1 µs, and to wake another core takes up to 100 µs.
	pointsPerHelper = 256
	// mostHelpers bounds these goroutines.
	mostHelpers = 7
)

// Engine is the one engine. All methods are safe for concurrent use.
type Engine struct {
	cfg    Config
	logger *zap.Logger
	// clock ticks the default engine, which has no owner with a ticker. Else nil.
	clock func() time.Time

	// shards are locked before mu. See docs/adr/011-shards.md.
	shards *shards.Locks // guard the meters and models of streams of metrics
	cores  *shards.Cores // that judge batches

	mu          sync.Mutex // guards everything below
	judge       *judge.Judge
	logs        *logs.Logs
	spans       *spans.Spans
	causes      *causes.Causes
	memory      room.Memory
	recent      *recent.Batches[Verdict]
	recentLogs  *recent.Batches[LogVerdict]
	recentSpans *recent.Batches[SpanVerdict]
	claimed     map[string]bool // findings that a receiver has claimed, by signal
	outlet      outlet.Gate     // of the findings receivers
	disk        disk
}

// New returns an engine that knows nothing yet. Tick must be called before the first observation.
func New(cfg Config, logger *zap.Logger) *Engine {
	e := &Engine{cfg: cfg, logger: logger, shards: shards.New(shards.Most), cores: shards.NewCores(runtime.GOMAXPROCS(0))}
	e.judge = judge.New(judge.Config{
		FalseAlarms: cfg.FalseAlarms, Schedule: cfg.Schedule, MaxSeries: cfg.MaxSeries, SeriesTTL: cfg.SeriesTTL, AcceptAfter: cfg.AcceptAfter, Zone: cfg.zone(),
	}, logger)
	e.reset()
	return e
}

// reset forgets everything that was learned.
func (e *Engine) reset() {
	e.judge.Reset()
	e.causes = causes.New(e.judge, e.cfg.SeriesTTL)
	e.logs = logs.New(e.judge, e.causes, e.cfg.miner(), e.cfg.SeriesTTL, e.memory.Entries())
	e.spans = spans.New(e.judge, e.causes, e.cfg.SeriesTTL, e.memory.Entries())
	e.judge.Connect(e.causes)
	e.causes.Connect(e.spans)
	e.recent, e.recentLogs, e.recentSpans = recent.New[Verdict](), recent.New[LogVerdict](), recent.New[SpanVerdict]()
	e.claimed = map[string]bool{}
}

// Tick sets the wall clock of the engine. Series that have had no points for too long
// age out, and their anomalies close.
func (e *Engine) Tick(now time.Time) {
	defer e.lockAll()()
	e.judge.Tick(now)
	e.causes.Tick(now)
	e.judge.FindAbsent()
	e.logs.Tick(now)
	e.spans.Tick(now)
	e.judge.CollectFindings()
}

// selfTick ticks the default engine, which has no owner with a ticker.
func (e *Engine) selfTick() {
	if e.clock == nil {
		return
	}
	now := e.clock()
	e.mu.Lock()
	due := now.Sub(e.judge.Now()) >= time.Second
	e.mu.Unlock()
	if due {
		e.Tick(now)
	}
}

// lockAll locks the engine while no batch of metrics is being judged, and returns the function that unlocks it.
// Whatever reads or writes models, removes series by age, or sets the clock needs it.
func (e *Engine) lockAll() (unlock func()) {
	e.shards.Lock(shards.All)
	e.mu.Lock()
	return func() {
		e.mu.Unlock()
		e.shards.Unlock(shards.All)
	}
}

// SetMaxMemory bounds the memory of what is learned, in bytes. What does not fit is
// evicted, that which has learned the least first.
func (e *Engine) SetMaxMemory(bytes int) {
	defer e.lockAll()()
	e.memory = room.Memory(max(bytes, room.Least))
	e.judge.SetMemory(e.memory)
	e.logs.SetEntries(e.memory.Entries())
	e.spans.SetEntries(e.memory.Entries())
}
