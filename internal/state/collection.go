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

// Index writes or reads a number from 0 to the greatest int32 in one byte or more.
func (c *Codec) Index(v *int) {
	if !c.reading {
		c.b = binary.AppendUvarint(c.b, uint64(*v))
		return
	}
	if i := c.uvarint(math.MaxInt32); !c.bad {
		*v = int(i)
	}
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
	c.Section(func(part *Codec) {
		if part.reading {
			part.bad = v.UnmarshalBinary(part.b) != nil
			part.b = nil
			return
		}
		b, err := v.AppendBinary(part.b)
		if part.bad = part.bad || err != nil; !part.bad {
			part.b = b
		}
	})
}

// Section writes or reads the length in four bytes of fields and the fields. The section of a complete state is
// complete.
func (c *Codec) Section(fields func(*Codec)) {
	if c.reading {
		var n uint32
		c.Uint32(&n)
		if b := c.take(int(n)); !c.bad {
			part := &Codec{b: b, reading: true, complete: c.complete}
			fields(part)
			c.bad = part.End() != nil
		}
		return
	}
	at := len(c.b)
	c.b = append(c.b, 0, 0, 0, 0)
	fields(c)
	binary.LittleEndian.PutUint32(c.b[at:], uint32(len(c.b)-at-4))
}

// Words is a list of texts. Only their first occurrences are stored.
type Words struct {
	list  []string
	place map[string]uint64
}

// Text writes or reads one byte or more: the place of a text in the list. If that is the end of the list, the text
// follows.
func (w *Words) Text(c *Codec, v *string) {
	if c.reading {
		place := c.uvarint(uint64(len(w.list)))
		if place == uint64(len(w.list)) {
			c.String(v)
			w.list = append(w.list, *v)
		}
		if !c.bad {
			*v = w.list[place]
		}
		return
	}
	place, known := w.place[*v]
	if !known {
		place = uint64(len(w.place))
	}
	c.b = binary.AppendUvarint(c.b, place)
	if !known {
		if w.place == nil {
			w.place = map[string]uint64{}
		}
		w.place[*v] = place
		c.String(v)
	}
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
