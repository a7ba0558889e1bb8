// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package charts

import (
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
	// chunkBytes is the approximate size of a chunk.
	chunkBytes = 512 << 10
)

// ErrDamaged is returned for a chunk that Chunks did not write.
var ErrDamaged = errors.New("the chunk of chart history is damaged or has an unsupported version")

// Chunks yields the store as independent chunks of bytes, each with its version and checksum. It may or may not
// contain points that are recorded meanwhile.
func (s *Store) Chunks(yield func([]byte) bool) {
	s.mu.Lock()
	ids := slices.Sorted(maps.Keys(s.lines))
	s.mu.Unlock()
	if !yield(s.chunk(nil, true)) {
		return
	}
	for len(ids) > 0 {
		n := s.fits(ids)
		if !yield(s.chunk(ids[:n], false)) {
			return
		}
		ids = ids[n:]
	}
}

// fits returns the number of series that fit into one chunk, at least one.
func (s *Store) fits(ids []uint64) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for size := 0; n < len(ids) && (n == 0 || size < chunkBytes); n++ {
		if l := s.lines[ids[n]]; l != nil {
			size += l.len() * pointBytes
		}
	}
	return n
}

func (s *Store) chunk(ids []uint64, shares bool) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	part := Store{lines: map[uint64]*line{}}
	for _, id := range ids {
		if l := s.lines[id]; l != nil {
			part.lines[id] = l
		}
	}
	if shares {
		part.shares = s.shares
	}
	c := state.Writer([]byte{version, 0, 0, 0, 0})
	part.persist(c)
	b := c.Bytes()
	sum := crc32.ChecksumIEEE(b[5:])
	b[1], b[2], b[3], b[4] = byte(sum>>24), byte(sum>>16), byte(sum>>8), byte(sum)
	return b
}

// Restore adds a chunk to the store. Series that the store already has are unchanged.
func (s *Store) Restore(b []byte) error {
	if len(b) < 5 || b[0] != version || crc32.ChecksumIEEE(b[5:]) != uint32(b[1])<<24|uint32(b[2])<<16|uint32(b[3])<<8|uint32(b[4]) {
		return ErrDamaged
	}
	part, c := Store{}, state.Reader(b[5:])
	part.persist(c)
	if err := c.End(); err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, l := range part.lines {
		if s.lines[id] == nil && l.len() > 0 {
			s.lines[id] = l
			s.bytes += l.bytes()
			s.latest = max(s.latest, l.last())
		}
	}
	for name, r := range part.shares {
		if s.shares[name] == nil && len(s.shares) < maxShares {
			s.shares[name] = r
		}
	}
	if s.bytes > s.cfg.MaxBytes {
		s.shrink()
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
	before := int64(0)
	for i := levels - 1; i >= 0; i-- {
		state.List(c, &l.levels[i], pointBytes-4, func(p *Point) {
			c.Int64(&p.Time)
			for _, v := range [...]*float32{&p.Value, &p.Min, &p.Max, &p.Expected, &p.Lower, &p.Upper, &p.Score} {
				bits := math.Float32bits(*v) // NaN is allowed
				c.Uint32(&bits)
				*v = math.Float32frombits(bits)
			}
			c.Check(p.Time > before)
			before = p.Time
		})
		c.Check(i == levels-1 || len(l.levels[i]) < [...]int{fullRaw, fullMerged}[min(i, 1)])
	}
}
