// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"cmp"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/auspex-otel/auspex/internal/engine/snapshot"
	"github.com/auspex-otel/auspex/internal/engine/window"
	"github.com/auspex-otel/auspex/internal/series"
	"github.com/auspex-otel/auspex/internal/state"
)

func (e *Engine) addSpansRecord(w *snapshot.Writer, id series.ID) error {
	s, _ := e.spans.Peek(id)
	if s == nil {
		return nil
	}
	return w.Add(tagSpans, s.persist)
}

func (e *Engine) restoreSpans(c *state.Codec) error {
	s := spans{}
	s.persist(c)
	id := serviceID(s.service)
	if old, _ := e.spans.Peek(id); !c.Ok() || old != nil {
		return state.Error
	}
	s.window.Resume(e.now)
	if s.operations == nil {
		s.operations = map[operationKey]*operation{}
	}
	e.spans.Add(id, 0, series.Size{Weight: 1}, e.now, s)
	return nil
}

func (s *spans) persist(c *state.Codec) {
	c.String(&s.service)
	s.window.Persist(c)
	c.Int(&s.Closed)
	state.MapFunc(c, &s.operations, 8, compareOperations, func(key *operationKey) {
		c.String(&key.name)
		kind := uint32(key.kind)
		c.Uint32(&kind)
		key.kind = ptrace.SpanKind(kind)
	}, func(op **operation) {
		if c.Reading() {
			*op = &operation{past: window.NewCalls()}
		}
		(*op).persist(c)
	})
}

func compareOperations(a, b operationKey) int {
	return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.kind, b.kind))
}

func (op *operation) persist(c *state.Codec) {
	c.Int(&op.Calls)
	c.Int(&op.Errors)
	c.Int(&op.Windows)
	c.Int(&op.Empty)
	c.Int64(&op.Last)
	op.Seconds.Persist(c)
	op.Mark.persist(c)
	c.Bool(&op.Mark.errors)
	op.past.Persist(c)
	c.Check(op.Calls >= 0 && op.Errors >= 0 && op.Errors <= op.Calls && op.Windows >= 0 && op.Windows <= established)
}
