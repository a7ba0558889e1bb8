// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"
)

// A snapshot is a list of records, packed into chunks of at most maxChunk bytes
// under keys of one of two slots, which alternate; the slot's manifest is
// removed first and written last. docs/formats/snapshot.md draws it.
const (
	snapshotVersion = 5
	maxChunk        = 1 << 20
	recordHead      = 5 // tag, length
	maxPiece        = maxChunk - chunkHead - recordHead - crcSize
	chunkHead       = 1 + 8
	crcSize         = 4
	manifestSize    = 1 + 8 + 8 + 4 + crcSize
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var (
	errNotWhole   = errors.New("not whole")
	errUnreadable = errors.New("the storage cannot be read")
)

// snapshots is the engine's own view of its state on disk.
type snapshots struct {
	client     storage.Client // nil: not persisted
	generation uint64
	taken      time.Time
}

// manifest names a whole snapshot.
type manifest struct {
	generation uint64
	taken      time.Time
	chunks     uint32
}

// Load gives the engine its storage and restores the newest whole snapshot in
// it. A damaged one is passed over and said; damage never stops a start. An
// error means that the storage itself could not be read.
func (e *Engine) Load(ctx context.Context, client storage.Client, now time.Time) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.now = now
	var found []manifest
	for slot := range uint64(2) {
		b, err := client.Get(ctx, manifestKey(slot))
		if err != nil {
			return fmt.Errorf("read %s from storage: %w", manifestKey(slot), err)
		}
		if b == nil {
			continue
		}
		m, err := parseManifest(b)
		if err != nil {
			e.logger.Error("a snapshot's manifest is damaged and is passed over", zap.String("key", manifestKey(slot)), zap.Error(err))
			continue
		}
		found = append(found, m)
	}
	if len(found) == 2 && found[0].generation < found[1].generation {
		found[0], found[1] = found[1], found[0]
	}
	for _, m := range found {
		e.generation = max(e.generation, m.generation)
	}
	for _, m := range found {
		err := e.restore(ctx, client, m)
		if errors.Is(err, errUnreadable) {
			e.reset()
			return err
		}
		if err == nil {
			e.client, e.taken = client, m.taken
			if (e.generation+1)%2 == m.generation%2 {
				e.generation++ // the next one goes over the damaged one, not over this
			}
			e.logger.Info("restored state", zap.Uint64("generation", m.generation), zap.Time("taken", m.taken),
				zap.Int("series", e.streams.Weight()), zap.Uint64("points", e.points))
			return nil
		}
		e.reset()
		e.logger.Error("a snapshot is damaged and is passed over", zap.Uint64("generation", m.generation), zap.Error(err))
	}
	if len(found) > 0 {
		e.logger.Error("no snapshot is whole: starting without the earlier state")
	}
	e.client = client
	return nil
}

// Snapshot writes the whole state to storage. Without storage it does nothing.
func (e *Engine) Snapshot(ctx context.Context, now time.Time) error {
	e.mu.Lock()
	client, generation := e.client, e.generation+1
	if client == nil {
		e.mu.Unlock()
		return nil
	}
	chunks, err := e.pack(generation)
	e.mu.Unlock()
	if err != nil {
		return fmt.Errorf("encode snapshot %d: %w", generation, err)
	}
	slot := generation % 2
	if err := client.Delete(ctx, manifestKey(slot)); err != nil {
		return fmt.Errorf("write snapshot %d: %w", generation, err)
	}
	for i, c := range chunks {
		if err := client.Set(ctx, chunkKey(slot, i), c); err != nil {
			return fmt.Errorf("write snapshot %d, chunk %d: %w", generation, i, err)
		}
	}
	m := manifest{generation: generation, taken: now, chunks: uint32(len(chunks))}
	if err := client.Set(ctx, manifestKey(slot), m.bytes()); err != nil {
		return fmt.Errorf("write snapshot %d: %w", generation, err)
	}
	e.mu.Lock()
	e.generation, e.taken = generation, now
	e.mu.Unlock()
	return dropFrom(ctx, client, slot, len(chunks))
}

// dropFrom removes what an earlier, larger snapshot left in the slot.
func dropFrom(ctx context.Context, client storage.Client, slot uint64, i int) error {
	for ; ; i++ {
		b, err := client.Get(ctx, chunkKey(slot, i))
		if err != nil || b == nil {
			return err
		}
		if err := client.Delete(ctx, chunkKey(slot, i)); err != nil {
			return err
		}
	}
}

func manifestKey(slot uint64) string     { return fmt.Sprintf("snapshot/%d/manifest", slot) }
func chunkKey(slot uint64, i int) string { return fmt.Sprintf("snapshot/%d/%d", slot, i) }
func seal(b []byte) []byte               { return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli)) }

func openChunk(generation uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{snapshotVersion}, generation)
}

// unseal checks and removes version and checksum.
func unseal(b []byte) ([]byte, error) {
	if len(b) < 1+crcSize {
		return nil, fmt.Errorf("%d bytes: %w", len(b), errNotWhole)
	}
	body := b[:len(b)-crcSize]
	if crc32.Checksum(body, castagnoli) != binary.BigEndian.Uint32(b[len(body):]) {
		return nil, fmt.Errorf("wrong checksum: %w", errNotWhole)
	}
	if body[0] != snapshotVersion {
		return nil, fmt.Errorf("version %d, this build reads %d", body[0], snapshotVersion)
	}
	return body[1:], nil
}

func (m manifest) bytes() []byte {
	b := openChunk(m.generation)
	b = binary.BigEndian.AppendUint64(b, uint64(m.taken.UnixNano()))
	return seal(binary.BigEndian.AppendUint32(b, m.chunks))
}

func parseManifest(b []byte) (manifest, error) {
	body, err := unseal(b)
	if err != nil {
		return manifest{}, err
	}
	if len(b) != manifestSize {
		return manifest{}, fmt.Errorf("%d bytes, %d expected: %w", len(b), manifestSize, errNotWhole)
	}
	return manifest{
		generation: binary.BigEndian.Uint64(body),
		taken:      time.Unix(0, int64(binary.BigEndian.Uint64(body[8:]))).UTC(),
		chunks:     binary.BigEndian.Uint32(body[16:]),
	}, nil
}

// packer packs records into chunks.
type packer struct {
	generation uint64
	chunks     [][]byte
	open       []byte
	record     []byte
}

// add packs one record of the given tag, in pieces if it is larger than a chunk.
func (p *packer) add(tag byte, record []byte) {
	for len(record) > maxPiece {
		p.piece(tag|tagMore, record[:maxPiece])
		record = record[maxPiece:]
	}
	p.piece(tag, record)
}

func (p *packer) piece(tag byte, b []byte) {
	if p.open != nil && len(p.open)+recordHead+len(b)+crcSize > maxChunk {
		p.close()
	}
	if p.open == nil {
		p.open = append(make([]byte, 0, maxChunk), openChunk(p.generation)...)
	}
	p.open = append(p.open, tag)
	p.open = binary.BigEndian.AppendUint32(p.open, uint32(len(b)))
	p.open = append(p.open, b...)
}

func (p *packer) close() {
	p.chunks = append(p.chunks, seal(p.open))
	p.open = nil
}

// unpack calls f for every record, or piece of one, of a chunk.
func unpack(b []byte, generation uint64, f func(tag byte, record []byte) error) error {
	body, err := unseal(b)
	if err != nil {
		return err
	}
	if len(body) < chunkHead-1 || binary.BigEndian.Uint64(body) != generation {
		return fmt.Errorf("of another generation: %w", errNotWhole)
	}
	for body = body[8:]; len(body) > 0; {
		if len(body) < recordHead {
			return errNotWhole
		}
		n := int(binary.BigEndian.Uint32(body[1:]))
		if n < 0 || len(body)-recordHead < n {
			return errNotWhole
		}
		if err := f(body[0], body[recordHead:recordHead+n]); err != nil {
			return err
		}
		body = body[recordHead+n:]
	}
	return nil
}
