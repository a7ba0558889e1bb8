// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package level

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/auspex-otel/auspex/internal/stats"
)

// version is the first byte of the state. It grows with each change to the
// layout or to what a number means.
const version = 1

// numbers is how many float64 the state starts with, after the version.
const numbers = 2*len(gains) + 4

// Size is the length of the state in bytes:
//
//	version uint8
//	level, err: len(gains) float64 each; scale, drift, odd, weight float64
//	seen, age, scaleAge uint32; best uint8
//	residuals, drifts, rank as package stats writes them
//
// All numbers are little-endian.
const Size = 1 + 8*numbers + 3*4 + 1 + 2*stats.ResidualsSize + stats.RankSize

var errState = errors.New("level: not a valid state")

// AppendBinary appends the state to b: Size bytes. It never fails.
func (m *Model) AppendBinary(b []byte) ([]byte, error) {
	b = append(b, version)
	for _, x := range m.floats() {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(*x))
	}
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(float64(m.weight)))
	b = binary.LittleEndian.AppendUint32(b, m.seen)
	b = binary.LittleEndian.AppendUint32(b, m.age)
	b = binary.LittleEndian.AppendUint32(b, m.scaleAge)
	b = append(b, m.best)
	b = m.residuals.AppendBinary(b)
	b = m.drifts.AppendBinary(b)
	return m.rank.AppendBinary(b), nil
}

// UnmarshalBinary restores what AppendBinary wrote. It returns an error if b
// has another length or version, or holds a number that no model can have.
func (m *Model) UnmarshalBinary(b []byte) error {
	if len(b) == 0 {
		return errState
	}
	if b[0] != version {
		return fmt.Errorf("level: state of version %d, want %d", b[0], version)
	}
	if len(b) != Size {
		return fmt.Errorf("level: state of %d bytes, want %d", len(b), Size)
	}
	b = b[1:]
	for _, x := range m.floats() {
		*x = math.Float64frombits(binary.LittleEndian.Uint64(b))
		b = b[8:]
	}
	m.weight = stats.Weight(math.Float64frombits(binary.LittleEndian.Uint64(b)))
	m.seen = binary.LittleEndian.Uint32(b[8:])
	m.age = binary.LittleEndian.Uint32(b[12:])
	m.scaleAge = binary.LittleEndian.Uint32(b[16:])
	m.best = b[20]
	b = b[21:]
	if !m.valid() {
		return errState
	}
	for _, r := range []*stats.Residuals{&m.residuals, &m.drifts} {
		if err := r.UnmarshalBinary(b[:stats.ResidualsSize]); err != nil {
			return fmt.Errorf("level: %w", err)
		}
		b = b[stats.ResidualsSize:]
	}
	if err := m.rank.UnmarshalBinary(b); err != nil {
		return fmt.Errorf("level: %w", err)
	}
	return nil
}

// floats lists the numbers of the state in their order, the weight apart.
func (m *Model) floats() [numbers - 1]*float64 {
	var f [numbers - 1]*float64
	n := 0
	for i := range gains {
		f[n], f[n+1] = &m.level[i], &m.err[i]
		n += 2
	}
	f[n], f[n+1], f[n+2] = &m.scale, &m.drift, &m.odd
	return f
}

// valid reports whether the plain numbers are such as Observe leaves behind.
func (m *Model) valid() bool {
	for _, x := range m.floats() {
		if math.IsNaN(*x) || math.IsInf(*x, 0) {
			return false
		}
	}
	for _, e := range m.err {
		if e < 0 {
			return false
		}
	}
	return m.weight.Valid() && m.scale >= 0 && math.Abs(m.drift) <= driftClip && m.odd >= 0 && m.odd < accept &&
		int(m.best) < len(gains) && (m.age > 0) == (m.seen > 0) && (m.scaleAge > 0) == (m.seen > 0) && m.age <= old && m.scaleAge <= old
}
