// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package snapshot

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/auspex-otel/auspex/internal/state"
)

const (
	// Version is the version of the format. It changes with every change to docs/formats/snapshot.md and to the
	// identity of series.
	Version = 9

	maxChunk = 1 << 20 // bytes
	crcSize  = 4
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// ErrVersion is returned for a snapshot of another version.
var ErrVersion = errors.New("unsupported version of the format")

// ErrStorage is returned if the storage could not be read.
var ErrStorage = errors.New("the storage cannot be read")

type readError struct {
	key string
	err error
}

func (e *readError) Error() string   { return fmt.Sprintf("read %s from storage: %v", e.key, e.err) }
func (e *readError) Unwrap() []error { return []error{ErrStorage, e.err} }

// Manifest describes a complete snapshot. It uses two alternating slots of keys: a generation is in the slot of its
// number modulo 2.
type Manifest struct {
	Generation uint64
	Taken      time.Time
	Chunks     uint32
}

func (m *Manifest) state(c *state.Codec) {
	c.Uint64(&m.Generation)
	c.Time(&m.Taken)
	c.Uint32(&m.Chunks)
}

// Find returns the manifests in storage, newest first, and the reason for each that cannot be used. An error, which
// is ErrStorage, means that the storage could not be read.
func Find(ctx context.Context, client storage.Client) (found []Manifest, rejected []error, err error) {
	for slot := range uint64(2) {
		key := manifestKey(slot)
		b, err := client.Get(ctx, key)
		if err != nil {
			return nil, nil, &readError{key, err}
		}
		if b == nil {
			continue
		}
		var m Manifest
		if err := m.parse(b); err != nil {
			rejected = append(rejected, fmt.Errorf("%s: %w", key, err))
			continue
		}
		found = append(found, m)
	}
	if len(found) == 2 && found[0].Generation < found[1].Generation {
		found[0], found[1] = found[1], found[0]
	}
	return found, rejected, nil
}

func (m *Manifest) bytes() []byte {
	c := state.Writer([]byte{Version})
	m.state(c)
	return seal(c.Bytes())
}

func (m *Manifest) parse(b []byte) error {
	body, err := unseal(b)
	if err != nil {
		return err
	}
	c := state.Reader(body)
	m.state(c)
	return c.End()
}

func manifestKey(slot uint64) string     { return fmt.Sprintf("snapshot/%d/manifest", slot) }
func chunkKey(slot uint64, i int) string { return fmt.Sprintf("snapshot/%d/%d", slot, i) }

// seal appends the checksum.
func seal(b []byte) []byte {
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// unseal checks and removes version and checksum. It checks the version first, because other versions may have other
// checksums.
func unseal(b []byte) ([]byte, error) {
	if len(b) > 0 && b[0] != Version {
		return nil, fmt.Errorf("%w: the snapshot has version %d, this build reads version %d", ErrVersion, b[0], Version)
	}
	if len(b) < 1+crcSize {
		return nil, fmt.Errorf("%d bytes: %w", len(b), state.Error)
	}
	body := b[:len(b)-crcSize]
	if crc32.Checksum(body, castagnoli) != binary.LittleEndian.Uint32(b[len(body):]) {
		return nil, fmt.Errorf("wrong checksum: %w", state.Error)
	}
	return body[1:], nil
}
