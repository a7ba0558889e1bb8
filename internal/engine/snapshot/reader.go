// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package snapshot

import (
	"context"
	"encoding/binary"
	"fmt"

	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/auspex-otel/auspex/internal/state"
)

// Read calls restore for every record of the snapshot, in the order of writing.
// An error is ErrStorage if the storage failed.
func (m Manifest) Read(ctx context.Context, client storage.Client, restore func(tag byte, record *state.Codec) error) error {
	var begun []byte // the first pieces of a record
	piece := func(tag byte, b []byte) error {
		if tag&tagMore != 0 || len(begun) > 0 {
			begun = append(begun, b...)
			b = begun
		}
		if tag&tagMore != 0 {
			return nil
		}
		begun = nil
		c := state.Reader(b)
		c.SetComplete(tag&tagComplete != 0)
		err := restore(tag&^tagComplete, c)
		if err == nil {
			err = c.End()
		}
		if err != nil {
			return fmt.Errorf("record %d: %w", tag, err)
		}
		return nil
	}
	for i := range int(m.Chunks) {
		key := chunkKey(m.Generation%2, i)
		b, err := client.Get(ctx, key)
		if err != nil {
			return &readError{key, err}
		}
		if err := m.unpack(b, piece); err != nil {
			return fmt.Errorf("chunk %d of %d: %w", i, m.Chunks, err)
		}
	}
	if len(begun) > 0 {
		return fmt.Errorf("the last record is incomplete: %w", state.Error)
	}
	return nil
}

// unpack calls piece for every record or piece of a record in a chunk.
func (m Manifest) unpack(b []byte, piece func(tag byte, b []byte) error) error {
	body, err := unseal(b)
	if err != nil {
		return err
	}
	if len(body) < chunkHead-1 || binary.LittleEndian.Uint64(body) != m.Generation {
		return fmt.Errorf("the chunk belongs to another generation: %w", state.Error)
	}
	for body = body[chunkHead-1:]; len(body) > 0; {
		if len(body) < recordHead {
			return state.Error
		}
		n := uint64(binary.LittleEndian.Uint32(body[1:]))
		if uint64(len(body)-recordHead) < n {
			return state.Error
		}
		if err := piece(body[0], body[recordHead:recordHead+n]); err != nil {
			return err
		}
		body = body[recordHead+n:]
	}
	return nil
}
