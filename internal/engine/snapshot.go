// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"

	"github.com/auspex-otel/auspex/internal/engine/snapshot"
	"github.com/auspex-otel/auspex/internal/series"
	"github.com/auspex-otel/auspex/internal/state"
)

// sliceSize is the number of bytes of records that are encoded under one lock: about 20 series, 0.2 ms.
const sliceSize = 64 << 10

// disk is the engine's storage and the latest snapshot in it.
type disk struct {
	client     storage.Client // nil: not persisted
	generation uint64
	taken      time.Time
	writing    sync.Mutex // held while a snapshot is written
}

// Load gives the engine its storage and restores the newest complete snapshot in
// it. A snapshot that is damaged or of another version is skipped and logged; it
// never prevents a start. An error means that the storage itself could not be read.
func (e *Engine) Load(ctx context.Context, client storage.Client, now time.Time) error {
	defer e.lockAll()()
	e.judge.SetNow(now)
	found, rejected, err := snapshot.Find(ctx, client)
	if err != nil {
		return err
	}
	for _, err := range rejected {
		e.logRejected(err)
	}
	for _, m := range found {
		e.disk.generation = max(e.disk.generation, m.Generation)
	}
	for _, m := range found {
		err := e.restore(ctx, client, m)
		if err == nil {
			e.disk.client, e.disk.taken = client, m.Taken
			if (e.disk.generation+1)%2 == m.Generation%2 {
				e.disk.generation++ // the next snapshot overwrites the damaged one, not this one
			}
			var s Status
			e.judge.Status(&s)
			e.logger.Info("restored state", zap.Uint64("generation", m.Generation), zap.Time("taken", m.Taken),
				zap.Int("series", s.Series), zap.Uint64("points", s.Points))
			return nil
		}
		e.reset()
		if errors.Is(err, snapshot.ErrStorage) {
			return err
		}
		e.logRejected(fmt.Errorf("generation %d: %w", m.Generation, err))
	}
	if len(found)+len(rejected) > 0 {
		e.logger.Warn("no usable snapshot: learning starts over")
	}
	e.disk.client = client
	return nil
}

// logRejected logs why a snapshot is not restored. Another version is expected after an upgrade, damage is not.
func (e *Engine) logRejected(err error) {
	if errors.Is(err, snapshot.ErrVersion) {
		e.logger.Warn("skipping a snapshot of another version", zap.Error(err))
		return
	}
	e.logger.Error("skipping a damaged snapshot", zap.Error(err))
}

// Snapshot writes the state to storage, except for what a restart may lose: what spans and log records showed in the last
// minutes, and the verdicts of the latest batches. Without storage it does nothing.
//
// The engine is locked for one slice of the state at a time, so that batches need
// not wait for the whole. Each model is written as it is when its slice is; what
// refers to series comes last, see judge.AddRecords.
func (e *Engine) Snapshot(ctx context.Context, now time.Time) error {
	return e.snapshot(ctx, now, false)
}

// SnapshotComplete writes the whole state to storage, so that an engine with the same configuration and without policies
// continues to the bit. The engine must be idle.
func (e *Engine) SnapshotComplete(ctx context.Context, now time.Time) error {
	return e.snapshot(ctx, now, true)
}

func (e *Engine) snapshot(ctx context.Context, now time.Time, complete bool) error {
	e.disk.writing.Lock()
	defer e.disk.writing.Unlock()
	e.mu.Lock()
	client, generation := e.disk.client, e.disk.generation+1
	parts := [...]struct {
		ids []series.ID
		add func(*snapshot.Writer, series.ID) error
	}{{e.judge.BeginSnapshot(), e.judge.AddStream}, {e.logs.IDs(), e.logs.AddService}, {e.spans.IDs(), e.spans.AddService}}
	records := []func(*snapshot.Writer) error{e.logs.AddTemplates, e.causes.AddRecord, e.judge.AddRecords}
	if complete {
		records = append(records, e.addTransient)
	}
	e.mu.Unlock()
	if client == nil {
		return nil
	}
	w, err := snapshot.NewWriter(ctx, client, generation, complete)
	if err != nil {
		return err
	}
	for _, part := range parts {
		slices.Sort(part.ids)
		if err := e.writeSlices(ctx, w, part.ids, part.add); err != nil {
			return err
		}
	}
	for _, add := range records {
		if err := e.writeSlice(ctx, w, func() error { return add(w) }); err != nil {
			return err
		}
	}
	if err := w.Commit(ctx, now); err != nil {
		return err
	}
	e.mu.Lock()
	e.disk.generation, e.disk.taken = generation, now
	e.mu.Unlock()
	return w.Clean(ctx)
}

// writeSlices writes the records of the given identities, a slice of them under each lock.
func (e *Engine) writeSlices(ctx context.Context, w *snapshot.Writer, ids []series.ID, add func(*snapshot.Writer, series.ID) error) error {
	for len(ids) > 0 {
		begun := w.Packed()
		err := e.writeSlice(ctx, w, func() error {
			for len(ids) > 0 && w.Packed()-begun < sliceSize {
				if err := add(w, ids[0]); err != nil {
					return err
				}
				ids = ids[1:]
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// writeSlice locks the engine while records are added, and writes the chunks that this has filled.
func (e *Engine) writeSlice(ctx context.Context, w *snapshot.Writer, add func() error) error {
	unlock := e.lockAll()
	err := add()
	unlock()
	runtime.Gosched() // a batch that waits for a processor would else wait for a whole time slice, 10 ms
	if err != nil {
		return err
	}
	return w.Flush(ctx)
}

// restore reads a snapshot. After an error the engine holds a part of it, and must be reset.
func (e *Engine) restore(ctx context.Context, client storage.Client, m snapshot.Manifest) error {
	e.judge.BeginRestore()
	defer e.judge.EndRestore()
	return m.Read(ctx, client, e.restoreRecord)
}

// addTransient adds what only a complete snapshot contains, apart from fields of other records.
func (e *Engine) addTransient(w *snapshot.Writer) error {
	return w.Add(snapshot.TagTransient, e.transient)
}

func (e *Engine) transient(c *state.Codec) {
	e.judge.Transient(c)
	e.logs.Transient(c)
	e.spans.Transient(c)
	var words state.Words
	e.recent.Persist(c, func(v *Verdict) { v.Persist(c, &words) })
	e.recentLogs.Persist(c, func(v *LogVerdict) { v.Persist(c, &words) })
	e.recentSpans.Persist(c, func(v *SpanVerdict) { v.Persist(c, &words) })
}

// restoreRecord passes a record to the package that owns it.
func (e *Engine) restoreRecord(tag byte, c *state.Codec) error {
	if tag == snapshot.TagTransient {
		e.transient(c)
		return nil
	}
	for _, owner := range [...]interface {
		Restore(byte, *state.Codec) (bool, error)
	}{e.judge, e.logs, e.spans, e.causes} {
		if known, err := owner.Restore(tag, c); known {
			return err
		}
	}
	return fmt.Errorf("unknown record: %w", state.Error)
}
