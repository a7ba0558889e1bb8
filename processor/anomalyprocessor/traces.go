// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package anomalyprocessor

import (
	"context"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"

	"github.com/auspex-otel/auspex/internal/vocabulary"
)

type tracesProcessor struct {
	base
	next consumer.Traces
}

func newTracesProcessor(set processor.Settings, next consumer.Traces) (*tracesProcessor, error) {
	b, err := newBase(set, "traces")
	if err != nil {
		return nil, err
	}
	return &tracesProcessor{base: b, next: next}, nil
}

// ConsumeTraces passes every span to the engine, adds scores to anomalous ones, and returns the
// result of the next consumer. It never holds spans.
func (p *tracesProcessor) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	p.judge(ctx, td)
	return p.next.ConsumeTraces(ctx, td)
}

func (p *tracesProcessor) judge(ctx context.Context, td ptrace.Traces) {
	defer p.guard(ctx)
	verdicts := p.engine.ObserveTraces(td)
	for _, rs := range td.ResourceSpans().All() {
		for _, ss := range rs.ScopeSpans().All() {
			for _, span := range ss.Spans().All() {
				markScore(span.Attributes(), verdicts[0].Score, verdicts[0].Reason)
				verdicts = verdicts[1:]
			}
		}
	}
	p.tap.Traces(td)
}

// markScore writes a score, if there is one. The score of a preceding collector is kept.
func markScore(attributes pcommon.Map, score float64, reason string) {
	if score <= 0 {
		return
	}
	if _, there := attributes.Get(vocabulary.MetricScore); !there {
		attributes.PutDouble(vocabulary.MetricScore, score)
		attributes.PutStr(vocabulary.AttrReason, reason)
	}
}
