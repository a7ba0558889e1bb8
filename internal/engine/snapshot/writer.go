// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package snapshot

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/auspex-otel/auspex/internal/state"
)

const (
	chunkHead  = 1 + 8 // version, generation
	recordHead = 1 + 4 // tag, length
	maxPiece   = maxChunk - chunkHead - recordHead - crcSize

	// tagMore is set if the record continues in the next piece, tagComplete in the records of a complete snapshot. Tags
	// are below both.
	tagMore     = 0x80
	tagComplete = 0x40
)

// Writer writes one snapshot. Add packs records in memory; Flush and Commit use the storage.
type Writer struct {
	client     storage.Client
	generation uint64
	complete   bool
	open       []byte   // chunk that is being filled, or nil
	full       [][]byte // chunks to write
	written    int      // chunks
	packed     int      // bytes of records
	record     []byte   // scratch
}

// NewWriter begins a snapshot. Its slot counts as empty from this point on. A complete snapshot includes the state
// that a restart may lose.
func NewWriter(ctx context.Context, client storage.Client, generation uint64, complete bool) (*Writer, error) {
	w := &Writer{client: client, generation: generation, complete: complete}
	if err := client.Delete(ctx, manifestKey(w.slot())); err != nil {
		return nil, w.failed(err)
	}
	return w, nil
}

// Complete reports whether the snapshot is complete.
func (w *Writer) Complete() bool { return w.complete }

func (w *Writer) slot() uint64 { return w.generation % 2 }

func (w *Writer) failed(err error) error {
	return fmt.Errorf("write snapshot %d: %w", w.generation, err)
}

// Packed returns the bytes of all records so far.
func (w *Writer) Packed() int { return w.packed }

// Add packs one record, in pieces if it is larger than a chunk.
func (w *Writer) Add(tag byte, fields func(*state.Codec)) error {
	c := state.Writer(w.record[:0])
	if c.SetComplete(w.complete); w.complete {
		tag |= tagComplete
	}
	fields(c)
	w.record = c.Bytes()
	if err := c.End(); err != nil {
		return fmt.Errorf("encode snapshot %d, record %d: %w", w.generation, tag, err)
	}
	w.packed += len(w.record)
	rest := w.record
	for len(rest) > maxPiece {
		w.piece(tag|tagMore, rest[:maxPiece])
		rest = rest[maxPiece:]
	}
	w.piece(tag, rest)
	return nil
}

func (w *Writer) piece(tag byte, b []byte) {
	if w.open != nil && len(w.open)+recordHead+len(b)+crcSize > maxChunk {
		w.close()
	}
	if w.open == nil {
		w.open = append(w.open, Version)
		w.open = binary.LittleEndian.AppendUint64(w.open, w.generation)
	}
	w.open = append(w.open, tag)
	w.open = binary.LittleEndian.AppendUint32(w.open, uint32(len(b)))
	w.open = append(w.open, b...)
}

// close appends the open chunk to the full ones. Flush computes its checksum, because it does not hold a lock.
func (w *Writer) close() { w.full, w.open = append(w.full, w.open), nil }

// together is the number of chunks per transaction of the storage. Each transaction
// costs two syncs of the disk.
const together = 8

// Flush writes the full chunks once there are enough of them.
func (w *Writer) Flush(ctx context.Context) error {
	if len(w.full) < together {
		return nil
	}
	return w.flush(ctx)
}

// flush writes all full chunks while ctx permits, because a storage may ignore ctx.
func (w *Writer) flush(ctx context.Context) error {
	for chunks := range slices.Chunk(w.full, together) {
		if err := ctx.Err(); err != nil {
			return w.failed(err)
		}
		ops := make([]*storage.Operation, len(chunks))
		for i, b := range chunks {
			ops[i] = storage.SetOperation(chunkKey(w.slot(), w.written+i), seal(b))
		}
		if err := w.client.Batch(ctx, ops...); err != nil {
			return fmt.Errorf("write snapshot %d, chunk %d: %w", w.generation, w.written, err)
		}
		w.written += len(chunks)
	}
	w.full = w.full[:0]
	return nil
}

// Commit writes the remaining records and the manifest, which makes the snapshot
// complete.
func (w *Writer) Commit(ctx context.Context, taken time.Time) error {
	if w.open != nil {
		w.close()
	}
	if err := w.flush(ctx); err != nil {
		return err
	}
	m := Manifest{Generation: w.generation, Taken: taken, Chunks: uint32(w.written)}
	if err := w.client.Set(ctx, manifestKey(w.slot()), m.bytes()); err != nil {
		return w.failed(err)
	}
	return nil
}

// Clean deletes the chunks of an earlier, larger snapshot in the slot.
func (w *Writer) Clean(ctx context.Context) error {
	for i := w.written; ; i++ {
		key := chunkKey(w.slot(), i)
		b, err := w.client.Get(ctx, key)
		if err != nil || b == nil {
			return err
		}
		if err := w.client.Delete(ctx, key); err != nil {
			return err
		}
	}
}
