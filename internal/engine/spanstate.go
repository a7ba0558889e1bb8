// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/auspex-otel/auspex/internal/state"
	"github.com/auspex-otel/auspex/internal/stats"
)

// packSpans adds the records of what is known of operations.
func (e *Engine) packSpans(p *packer) {
	services := maps.Collect(e.spans.All())
	for _, id := range slices.Sorted(maps.Keys(services)) {
		s := services[id]
		w := writer{b: p.record[:0]}
		w.text(s.service)
		w.int64(s.End)
		w.int64(int64(s.Late))
		w.int64(int64(s.Closed))
		w.uint64(uint64(len(s.operations)))
		for _, key := range slices.SortedFunc(maps.Keys(s.operations), compareOperations) {
			w.text(key.name)
			w.int64(int64(key.kind))
			s.operations[key].append(&w)
		}
		p.add(tagSpans, w.b)
	}
}

func compareOperations(a, b operationKey) int {
	return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.kind, b.kind))
}

func (e *Engine) restoreSpans(record []byte) error {
	r := reader{b: record}
	s := spans{service: r.text(), operations: map[operationKey]*operation{}}
	s.touched = e.now
	s.End, s.Late, s.Closed = r.int64(), int(r.int64()), int(r.int64())
	for range r.length(16) {
		key := operationKey{r.text(), ptrace.SpanKind(r.int64())}
		op := &operation{durations: stats.NewPositive()}
		op.read(&r)
		s.operations[key] = op
	}
	id := serviceID(s.service)
	if old, _ := e.spans.Peek(id); old != nil {
		r.fail(errNotWhole)
	}
	if err := r.end(); err != nil {
		return fmt.Errorf("spans of %s: %w", s.service, err)
	}
	e.spans.Add(id, 1, e.now, s)
	return nil
}

func (op *operation) append(w *writer) {
	w.int64(int64(op.Calls))
	w.int64(int64(op.Errors))
	w.int64(int64(op.Windows))
	w.int64(int64(op.Empty))
	w.int64(op.Last)
	w.int64(int64(op.Seconds.Seen))
	w.int64(int64(op.Seconds.Stride))
	w.uint64(uint64(len(op.Seconds.Kept)))
	for _, v := range op.Seconds.Kept {
		w.float64(v)
	}
	w.float64(op.Mark.Score)
	w.text(op.Mark.Reason)
	w.bool(op.Mark.errors)
	w.state(op.state)
}

func (op *operation) read(r *reader) {
	op.Calls, op.Errors, op.Windows, op.Empty, op.Last = int(r.int64()), int(r.int64()), int(r.int64()), int(r.int64()), r.int64()
	op.Seconds.Seen, op.Seconds.Stride = int(r.int64()), int(r.int64())
	n := r.length(8)
	for range n {
		op.Seconds.Kept = append(op.Seconds.Kept, r.float64())
	}
	op.Mark.Score, op.Mark.Reason, op.Mark.errors = r.float64(), r.text(), r.bool()
	r.state(op.state)
	if n > mostValues || op.Calls < 0 || op.Errors < 0 || op.Errors > op.Calls || op.Windows < 0 || op.Windows > established || op.Seconds.Seen < 0 || op.Seconds.Stride < 0 {
		r.fail(errNotWhole)
	}
}

// state writes or reads what is known of all calls.
func (op *operation) state(c *state.Codec) {
	c.Float64(&op.Past.All)
	c.Float64(&op.Past.Errors)
	c.Uint32(&op.known)
	op.weight.State(c)
	op.durations.State(c)
	c.Check(op.Past.Errors >= 0 && op.Past.Errors <= op.Past.All)
}
