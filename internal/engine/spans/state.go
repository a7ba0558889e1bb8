// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package spans

import (
	"cmp"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/auspex-otel/auspex/internal/engine/snapshot"
	"github.com/auspex-otel/auspex/internal/engine/window"
	"github.com/auspex-otel/auspex/internal/series"
	"github.com/auspex-otel/auspex/internal/state"
)

// IDs returns the ids of the services that a snapshot must contain.
func (c *Spans) IDs() []series.ID { return c.services.IDs() }

// AddService adds the counts of a service.
func (c *Spans) AddService(w *snapshot.Writer, id series.ID) error {
	s, _ := c.services.Peek(id)
	if s == nil {
		return nil
	}
	return w.Add(snapshot.TagSpans, s.persist)
}

// Restore reads a record if its tag is that of spans. Otherwise it returns false.
func (c *Spans) Restore(tag byte, codec *state.Codec) (bool, error) {
	if tag != snapshot.TagSpans {
		return false, nil
	}
	return true, c.restoreService(codec)
}

func (c *Spans) restoreService(codec *state.Codec) error {
	s := service{}
	s.persist(codec)
	id := series.Text(s.name)
	if old, _ := c.services.Peek(id); !codec.Ok() || old != nil {
		return state.Error
	}
	s.window.Resume(c.judge.Now())
	if s.operations == nil {
		s.operations = map[operationKey]*operation{}
	}
	c.services.Add(id, 0, series.Size{Weight: 1}, c.judge.Now(), s)
	return nil
}

// Transient writes or reads the rest of a complete state. It must be read last.
func (c *Spans) Transient(codec *state.Codec) {
	codec.Int(&c.room)
	c.services.State(codec)
}

func (s *service) persist(c *state.Codec) {
	c.String(&s.name)
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
	op.mark.mark.Persist(c)
	c.Bool(&op.mark.failed)
	op.past.Persist(c)
	if c.Complete() {
		op.witnesses.Persist(c)
		op.told.mark.Persist(c)
		c.Bool(&op.told.failed)
		c.Int64(&op.toldUntil)
	}
	c.Check(op.Calls >= 0 && op.Errors >= 0 && op.Errors <= op.Calls && op.Windows >= 0 && op.Windows <= window.Established)
}

// Persist writes or reads a verdict.
func (v *Verdict) Persist(c *state.Codec, words *state.Words) {
	c.Bits(&v.Score)
	words.Text(c, &v.Reason)
}
