// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"cmp"
	"encoding"
	"encoding/binary"
	"maps"
	"math"
	"slices"
	"time"
)

// Bool writes or reads one byte, 0 or 1.
func (c *Codec) Bool(v *bool) {
	var b uint8
	if *v {
		b = 1
	}
	c.Uint8(&b)
	c.Check(b <= 1)
	if c.reading && !c.bad {
		*v = b == 1
	}
}

// Int writes or reads eight bytes.
func (c *Codec) Int(v *int) {
	i := int64(*v)
	c.Int64(&i)
	*v = int(i)
}

// Bits writes or reads float64s in eight bytes each. Unlike Float64, it accepts NaN and infinities.
func (c *Codec) Bits(vs ...*float64) {
	for _, v := range vs {
		b := math.Float64bits(*v)
		c.Uint64(&b)
		*v = math.Float64frombits(b)
	}
}

// String writes or reads a Text of any length.
func (c *Codec) String(v *string) { c.Text(v, math.MaxUint32) }

// Time writes or reads eight bytes: nanoseconds since the Unix epoch, or the least int64 for the zero time. A reader
// returns UTC.
func (c *Codec) Time(v *time.Time) {
	n := int64(math.MinInt64)
	if !v.IsZero() {
		n = v.UnixNano()
	}
	c.Int64(&n)
	switch {
	case !c.reading || c.bad:
	case n == math.MinInt64:
		*v = time.Time{}
	default:
		*v = time.Unix(0, n).UTC()
	}
}

// Part writes or reads a state with its own version: its length in four bytes and its bytes.
func (c *Codec) Part(v interface {
	encoding.BinaryAppender
	encoding.BinaryUnmarshaler
},
) {
	if c.reading {
		var n uint32
		c.Uint32(&n)
		if b := c.take(int(n)); c.bad || v.UnmarshalBinary(b) != nil {
			c.bad = true
		}
		return
	}
	at := len(c.b)
	b, err := v.AppendBinary(append(c.b, 0, 0, 0, 0))
	if err != nil {
		c.bad = true
		return
	}
	c.b = b
	binary.LittleEndian.PutUint32(c.b[at:], uint32(len(b)-at-4))
}

// Length writes or reads, in four bytes, the number of items that follow, each of at least the given number of bytes.
// A reader rejects more items than the remaining bytes can hold.
func (c *Codec) Length(n *int, least int) {
	v := uint32(*n)
	c.Uint32(&v)
	c.Check(int(v) <= len(c.b)/least)
	if *n = int(v); c.bad {
		*n = 0
	}
}

// List writes or reads the length of a list and its items, each of at least the given number of bytes. A reader
// returns nil for no items.
func List[T any](c *Codec, list *[]T, least int, item func(*T)) {
	n := len(*list)
	c.Length(&n, least)
	if c.reading {
		*list = nil
		if n > 0 {
			*list = make([]T, n)
		}
	}
	for i := range *list {
		item(&(*list)[i])
	}
}

// Map writes or reads the number of entries and the entries in ascending order of their keys, each of at least the
// given number of bytes. A reader rejects keys out of order, and returns nil for no entries.
func Map[K cmp.Ordered, V any](c *Codec, m *map[K]V, least int, key func(*K), value func(*V)) {
	MapFunc(c, m, least, cmp.Compare[K], key, value)
}

// MapFunc is like Map with the given order of keys.
func MapFunc[K comparable, V any](c *Codec, m *map[K]V, least int, order func(a, b K) int, key func(*K), value func(*V)) {
	n := len(*m)
	c.Length(&n, least)
	if !c.reading {
		for _, k := range slices.SortedFunc(maps.Keys(*m), order) {
			v := (*m)[k]
			key(&k)
			value(&v)
		}
		return
	}
	*m = nil
	if n > 0 {
		*m = make(map[K]V, n)
	}
	var last K
	for i := range n {
		var k K
		var v V
		key(&k)
		c.Check(i == 0 || order(last, k) < 0)
		if value(&v); c.bad {
			return
		}
		(*m)[k] = v
		last = k
	}
}
