// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package anomalyprocessor

import (
	"context"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/processor"
)

// tracesProcessor lets traces pass as they came: they are not judged yet.
type tracesProcessor struct {
	base
	next consumer.Traces
}

func newTracesProcessor(set processor.Settings, next consumer.Traces) (*tracesProcessor, error) {
	b, err := newBase(set)
	if err != nil {
		return nil, err
	}
	return &tracesProcessor{base: b, next: next}, nil
}

// ConsumeTraces returns the next consumer's answer.
func (p *tracesProcessor) ConsumeTraces(ctx context.Context, td ptrace.Traces) error {
	return p.next.ConsumeTraces(ctx, td)
}
