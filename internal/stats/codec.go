// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package stats

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
	r.total, b = readFloat64(b)
	sum := 0.0
	for i := range r.side {
		s, t := &r.side[i], &r.side[i].tail
		b = readCounts(b, s.count[:], &sum)
		t.from = b[0]
		b = readFloats(b[1:], &t.share, &t.sigma, &t.shape, &t.far, &t.band)
		if !t.valid() {
			return errState
		}
	}
	return checkTotal(r.total, sum)
}

// valid reports whether fit can have written t.
func (t *tail) valid() bool {
	return t.from >= 1 && t.from < buckets && t.share > 0 && t.share <= 1 &&
		t.sigma > 1e-6 && finite(t.sigma) && t.shape >= float32(minShape) && t.shape <= float32(maxShape) &&
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
	r.total, b = readFloat64(b)
	sum := 0.0
	b = readCounts(b, r.count[:], &sum)
	r.from = b[0]
	readFloats(b[1:], &r.share, &r.mean)
	if r.from < 1 || r.from >= rankBuckets || !(r.share > 0 && r.share <= 1) || !(r.mean > 0.01 && r.mean < 100) {
		return errState
	}
	return checkTotal(r.total, sum)
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

func readFloat64(b []byte) (x float64, rest []byte) {
	return math.Float64frombits(binary.LittleEndian.Uint64(b)), b[8:]
}

// readCounts reads weights, adds them to sum (NaN if one of them is none) and
// returns the rest of b.
func readCounts(b []byte, xs []float32, sum *float64) []byte {
	for i := range xs {
		xs[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
		if !(xs[i] >= 0) {
			*sum = math.NaN()
		}
		*sum += float64(xs[i])
	}
	return b[4*len(xs):]
}

// checkTotal holds the total to the sum of the counts, which differ by rounding
// only, and to what forgetting can leave: maxWeight for each point remembered.
func checkTotal(total, sum float64) error {
	if total <= 2*HalfLife*maxWeight && math.Abs(total-sum) <= 0.01*total {
		return nil
	}
	return errState
}

func finite(x float32) bool { return x-x == 0 }
