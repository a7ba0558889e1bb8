// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package spans

import (
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/auspex-otel/auspex/internal/engine/judge"
	"github.com/auspex-otel/auspex/internal/engine/window"
	"github.com/auspex-otel/auspex/internal/series"
	"github.com/auspex-otel/auspex/internal/trace"
)

// The methods below answer package causes.

// Warm returns the services with enough closed windows that their behavior can be judged, in order.
func (c *Spans) Warm() (names []string) {
	for _, s := range c.services.All() {
		if s.Closed >= warmUp {
			names = append(names, s.name)
		}
	}
	slices.Sort(names)
	return names
}

// Established reports whether an operation has series.
func (c *Spans) Established(of trace.Operation) bool {
	op := c.find(of)
	return op != nil && op.Windows >= window.Established
}

// Traces yields example traces of an operation.
func (c *Spans) Traces(of trace.Operation, add func(pcommon.TraceID)) {
	if op := c.find(of); op != nil {
		op.witnesses.Each(add)
	}
}

// Mark marks the spans of an operation, or only those that failed, for two windows from event time t.
func (c *Spans) Mark(of trace.Operation, m judge.Mark, failed bool, t int64) {
	if op := c.find(of); op != nil {
		op.told, op.toldUntil = mark{m, failed}, t+2*window.Length
	}
}

// find returns what is counted of an operation, or nil.
func (c *Spans) find(of trace.Operation) *operation {
	if s, _ := c.services.Peek(series.Text(of.Service)); s != nil {
		return s.operations[operationKey{of.Name, ptrace.SpanKind(of.Kind)}]
	}
	return nil
}
