// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package stats // import "github.com/auspex-otel/auspex/internal/stats"

import (
	"encoding/binary"
	"errors"
	"math"
)

// The sizes of the binary forms in bytes. Both are little-endian and of fixed
// length; what wraps them carries the version.
//
//	Residuals: total float64, then up and down: 64 counts float32, tail
//	tail:      from uint8, share, σ, ξ, far, band float32
//	Rank:      total float64, 32 counts float32, from uint8, share, mean float32
const (
	tailSize      = 1 + 5*4
	ResidualsSize = 8 + 2*(buckets*4+tailSize)
	RankSize      = 8 + rankBuckets*4 + 1 + 2*4
)

var errState = errors.New("stats: not a valid state")

// AppendBinary appends the state to b: ResidualsSize bytes.
func (r *Residuals) AppendBinary(b []byte) []byte {
	b = appendFloat64(b, r.total)
	for i := range r.side {
		s := &r.side[i]
		b = appendFloats(b, s.count[:])
		b = append(b, s.tail.from)
		b = appendFloats(b, []float32{s.tail.share, s.tail.sigma, s.tail.shape, s.tail.far, s.tail.band})
	}
	return b
}

// UnmarshalBinary restores the state that AppendBinary wrote, or returns an
// error: if the length is wrong or a number is none that can have been written.
func (r *Residuals) UnmarshalBinary(b []byte) error {
	if len(b) != ResidualsSize {
		return errState
	}
	var ok bool
	if r.total, b, ok = readTotal(b); !ok {
		return errState
	}
	for i := range r.side {
		s := &r.side[i]
		if b, ok = readCounts(b, s.count[:]); !ok {
			return errState
		}
		t := &s.tail
		t.from = b[0]
		b = readFloats(b[1:], &t.share, &t.sigma, &t.shape, &t.far, &t.band)
		if !t.valid() {
			return errState
		}
	}
	return nil
}

// valid reports whether t can have been written: by fit, or before the first fit.
func (t *tail) valid() bool {
	if *t == (tail{}) {
		return true
	}
	return t.from >= 1 && t.from < buckets && t.share > 0 && t.share <= 1 &&
		t.sigma > 0 && finite(t.sigma) && t.shape >= float32(minShape) && t.shape <= float32(maxShape) &&
		t.far >= 0 && t.band >= 0 && finite(t.band)
}

// AppendBinary appends the state to b: RankSize bytes.
func (r *Rank) AppendBinary(b []byte) []byte {
	b = appendFloat64(b, r.total)
	b = appendFloats(b, r.count[:])
	b = append(b, r.from)
	return appendFloats(b, []float32{r.share, r.mean})
}

// UnmarshalBinary restores the state that AppendBinary wrote, or returns an
// error: if the length is wrong or a number is none that can have been written.
func (r *Rank) UnmarshalBinary(b []byte) error {
	if len(b) != RankSize {
		return errState
	}
	var ok bool
	if r.total, b, ok = readTotal(b); !ok {
		return errState
	}
	if b, ok = readCounts(b, r.count[:]); !ok {
		return errState
	}
	r.from = b[0]
	readFloats(b[1:], &r.share, &r.mean)
	if r.from < 1 || r.from >= rankBuckets || !(r.share > 0 && r.share <= 1) || !(r.mean > 0 && finite(r.mean)) {
		return errState
	}
	return nil
}

func appendFloat64(b []byte, x float64) []byte {
	return binary.LittleEndian.AppendUint64(b, math.Float64bits(x))
}

func appendFloats(b []byte, xs []float32) []byte {
	for _, x := range xs {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return b
}

// readFloats reads one number for each pointer and returns the rest of b.
func readFloats(b []byte, xs ...*float32) []byte {
	for i, x := range xs {
		*x = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return b[4*len(xs):]
}

// readTotal reads a sum of weights.
func readTotal(b []byte) (x float64, rest []byte, ok bool) {
	x = math.Float64frombits(binary.LittleEndian.Uint64(b))
	return x, b[8:], x >= 0 && x < math.MaxFloat32
}

// readCounts reads weights.
func readCounts(b []byte, xs []float32) (rest []byte, ok bool) {
	ok = true
	for i := range xs {
		xs[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
		ok = ok && xs[i] >= 0 && finite(xs[i])
	}
	return b[4*len(xs):], ok
}

func finite(x float32) bool { return x-x == 0 }
