// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package charts

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"maps"
	"math"
	"slices"

	"github.com/auspex-otel/auspex/internal/state"
)

const (
	// version is the version of the chunks (see docs/formats).
	version = 1
	// chunkBytes is the approximate size of a chunk of series, chunkShares the number of ribbons in one.
	chunkBytes  = 256 << 10
	chunkShares = 64
	// headerBytes is the size of the version and the checksum.
	headerBytes = 5
)

// ErrDamaged is returned for a chunk that Chunks did not write.
var ErrDamaged = errors.New("the chunk of chart history is damaged or has an unsupported version")

// Chunks yields the store as independent chunks of bytes, each with its version and checksum. It may or may not
// contain points that are recorded meanwhile.
func (s *Store) Chunks(yield func([]byte) bool) {
	for names := range slices.Chunk(keys(s, s.shares), chunkShares) {
		if !yield(seal(s.encode(func(part *Store) { part.shares = pick(s.shares, names) }))) {
			return
		}
	}
	for ids := keys(s, s.lines); len(ids) > 0; {
		n := 0
		b := s.encode(func(part *Store) {
			for size := 0; n < len(ids) && (n == 0 || size < chunkBytes); n++ {
				if l := s.lines[ids[n]]; l != nil {
					size += l.len() * pointBytes
				}
			}
			part.lines = pick(s.lines, ids[:n])
		})
		if !yield(seal(b)) {
			return
		}
		ids = ids[n:]
	}
}

// pick returns the entries of a map that have the given keys.
func pick[K comparable, V any](m map[K]V, keys []K) map[K]V {
	part := make(map[K]V, len(keys))
	for _, k := range keys {
		if v, ok := m[k]; ok {
			part[k] = v
		}
	}
	return part
}

// encode encodes the part of the store that a function selects, behind room for the header of a chunk.
func (s *Store) encode(choose func(part *Store)) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	var part Store
	choose(&part)
	c := state.Writer(make([]byte, headerBytes, headerBytes+chunkBytes))
	part.persist(c)
	return c.Bytes()
}

// seal writes the header of a chunk.
func seal(chunk []byte) []byte {
	chunk[0] = version
	binary.BigEndian.PutUint32(chunk[1:], crc32.ChecksumIEEE(chunk[headerBytes:]))
	return chunk
}

// Restore adds a chunk to the store. Series that the store already has are unchanged.
func (s *Store) Restore(b []byte) error {
	if len(b) < headerBytes || b[0] != version || crc32.ChecksumIEEE(b[headerBytes:]) != binary.BigEndian.Uint32(b[1:]) {
		return ErrDamaged
	}
	part, c := Store{}, state.Reader(b[headerBytes:])
	part.persist(c)
	if err := c.End(); err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(part.lines)) {
		if l := part.lines[id]; s.lines[id] == nil && l.len() > 0 {
			s.enter(id, l)
			s.latest = max(s.latest, l.last)
			s.makeRoom(l)
		}
	}
	for name, r := range part.shares {
		if s.shares[name] == nil && len(s.shares) < maxShares {
			s.shares[name] = r
		}
	}
	return nil
}

func (s *Store) persist(c *state.Codec) {
	state.Map(c, &s.shares, 16, c.String, func(r **ribbon) {
		if c.Reading() {
			*r = &ribbon{}
		}
		(*r).persist(c)
	})
	state.Map(c, &s.lines, 16, c.Uint64, func(l **line) {
		if c.Reading() {
			*l = &line{}
		}
		(*l).persist(c)
	})
}

func (r *ribbon) persist(c *state.Codec) {
	c.Int64(&r.last)
	for i := range r.buckets {
		b := &r.buckets[i]
		c.Int64(&b.number)
		c.Uint32(&b.judged)
		c.Uint32(&b.outside)
		c.Check(b.number >= 0 && b.outside <= b.judged)
	}
}

func (l *line) persist(c *state.Codec) {
	c.Int64(&l.pinned)
	l.last = 0
	for i := levels - 1; i >= 0; i-- {
		state.List(c, &l.levels[i], pointBytes-4, func(p *Point) {
			c.Int64(&p.Time)
			for _, v := range [...]*float32{&p.Value, &p.Min, &p.Max, &p.Expected, &p.Lower, &p.Upper, &p.Score} {
				bits := math.Float32bits(*v) // NaN is allowed
				c.Uint32(&bits)
				*v = math.Float32frombits(bits)
			}
			c.Check(p.Time > l.last)
			l.last = p.Time
		})
		c.Check(i == levels-1 || len(l.levels[i]) < [...]int{fullRaw, fullMerged}[min(i, 1)])
	}
}
