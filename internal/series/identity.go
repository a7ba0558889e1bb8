// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package series

import (
	"encoding/hex"
	"math"
	"math/bits"

	"github.com/cespare/xxhash/v2"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

// ID identifies a resource, a scope, a stream of data points, or a series. It is a 64-bit hash
// that depends only on content: not on the order of attributes, the process, or the machine. The
// probability that two of 100,000 series have the same ID is below 1e-9.
type ID uint64

// String returns the ID as 16 hexadecimal digits.
func (id ID) String() string {
	b := [8]byte{byte(id >> 56), byte(id >> 48), byte(id >> 40), byte(id >> 32), byte(id >> 24), byte(id >> 16), byte(id >> 8), byte(id)}
	return hex.EncodeToString(b[:])
}

// Join returns the ID of a sequence from the IDs of its parts.
func (id ID) Join(part ID) ID {
	return ID(mix(bits.RotateLeft64(uint64(id), 23) ^ (uint64(part) + 0x9e3779b97f4a7c15)))
}

// Text returns the ID of a string.
func Text(s string) ID { return ID(xxhash.Sum64String(s)) }

// Number returns the ID of a number.
func Number(n uint64) ID { return ID(mix(n + 0x9e3779b97f4a7c15)) }

// Attributes returns the ID of a set of attributes. It depends on the types of values, not on the
// order: "1", 1, and 1.0 differ.
func Attributes(m pcommon.Map) ID {
	// A sum of well-mixed hashes is independent of the order and needs no sorting.
	sum := uint64(m.Len())
	for k, v := range m.All() {
		sum += uint64(Text(k).Join(Value(v)))
	}
	return ID(mix(sum))
}

// Scope returns the ID of an instrumentation scope.
func Scope(s pcommon.InstrumentationScope) ID {
	return Text(s.Name()).Join(Text(s.Version())).Join(Attributes(s.Attributes()))
}

// Value returns the ID of a value of an attribute.
func Value(v pcommon.Value) ID {
	kind := Number(uint64(v.Type()))
	switch v.Type() {
	case pcommon.ValueTypeStr:
		return kind.Join(Text(v.Str()))
	case pcommon.ValueTypeInt:
		return kind.Join(Number(uint64(v.Int())))
	case pcommon.ValueTypeDouble:
		return kind.Join(Number(math.Float64bits(v.Double())))
	case pcommon.ValueTypeBool:
		if v.Bool() {
			return kind.Join(1)
		}
		return kind.Join(2)
	case pcommon.ValueTypeMap:
		return kind.Join(Attributes(v.Map()))
	case pcommon.ValueTypeSlice:
		id := kind
		for _, e := range v.Slice().All() {
			id = id.Join(Value(e))
		}
		return id
	case pcommon.ValueTypeBytes:
		return kind.Join(ID(xxhash.Sum64(v.Bytes().AsRaw())))
	default:
		return kind
	}
}

// mix spreads every input bit over all output bits with the finalizer of the SplitMix64 generator
// (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
func mix(x uint64) uint64 {
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb
	return x ^ (x >> 31)
}

// Texts returns the attributes as text, or nil if there are none.
func Texts(m pcommon.Map) map[string]string {
	if m.Len() == 0 {
		return nil
	}
	t := make(map[string]string, m.Len())
	for k, v := range m.All() {
		t[k] = v.AsString()
	}
	return t
}
