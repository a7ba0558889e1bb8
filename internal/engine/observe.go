// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/auspex-otel/auspex/internal/engine/intake"
	"github.com/auspex-otel/auspex/internal/engine/metrics"
	"github.com/auspex-otel/auspex/internal/series"
)

// ObserveMetrics judges every data point of a batch and learns it. It does not change
// the batch, and it remembers the verdicts of the last RecentBatches batches. A batch that
// comes again, because the next consumer rejected it or because a second pipeline carries
// it too, gets the same verdicts and is not observed a second time.
func (e *Engine) ObserveMetrics(md pmetric.Metrics, out Output) []Verdict {
	md, deep := intake.Metrics(md)
	e.selfTick()
	batch := metrics.List(md)
	defer batch.Release()
	e.shards.Lock(batch.Services)
	defer e.shards.Unlock(batch.Services)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.judge.Refuse(RefusedTooDeep, uint64(deep))
	batch.Refuse(e.judge)
	if batch.Len() == 0 {
		return nil
	}
	key := batch.Key.Join(series.Text(string(out.Select)))
	if v, ok := e.recent.Get(key); ok {
		return v
	}
	e.judge.BeginBatch()
	crew := e.cores.Crew(min(batch.Len()/pointsPerHelper, mostHelpers), &e.mu)
	defer crew.Release()
	verdicts := batch.Judge(e.judge, out, crew)
	e.causes.PassUsed()
	e.judge.EndBatch()
	e.recent.Put(key, verdicts)
	return verdicts
}

// ObserveLogs finds the template of every log record of a batch, learns it and
// counts it. It returns a verdict for each record, in the order of the batch. As
// with metrics, a batch that comes again gets the same and nothing is observed.
func (e *Engine) ObserveLogs(ld plog.Logs, parameters bool) []LogVerdict {
	ld, deep := intake.Logs(ld)
	key := intake.LogsKey(ld)
	if parameters {
		key = key.Join(series.Number(1))
	}
	e.selfTick()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.judge.Refuse(RefusedTooDeep, uint64(deep))
	if v, ok := e.recentLogs.Get(key); ok {
		return v
	}
	e.judge.BeginBatch()
	verdicts, latest := e.logs.Observe(ld, parameters)
	e.causes.Pass(latest)
	e.judge.EndBatch()
	e.recentLogs.Put(key, verdicts)
	return verdicts
}

// ObserveTraces judges every span of a batch by its operation's past, learns and
// counts it. It returns a verdict for each span, in the order of the batch. As
// with metrics, a batch that comes again gets the same and nothing is observed.
func (e *Engine) ObserveTraces(td ptrace.Traces) []SpanVerdict {
	td, deep := intake.Traces(td)
	key := intake.TracesKey(td)
	e.selfTick()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.judge.Refuse(RefusedTooDeep, uint64(deep))
	if v, ok := e.recentSpans.Get(key); ok {
		return v
	}
	e.judge.BeginBatch()
	verdicts, latest := e.spans.Observe(td)
	e.causes.Pass(latest)
	e.judge.EndBatch()
	e.recentSpans.Put(key, verdicts)
	return verdicts
}
