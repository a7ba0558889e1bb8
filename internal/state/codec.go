// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"encoding/binary"
	"errors"
	"math"
)

// Error is returned for bytes that no writer can have written.
var Error = errors.New("not a valid state")

// Codec appends fields to bytes, or reads them from bytes. After the first error a reader does not change fields.
type Codec struct {
	b        []byte
	reading  bool
	complete bool
	bad      bool
}

// Writer returns a codec that appends to b.
func Writer(b []byte) *Codec { return &Codec{b: b} }

// Reader returns a codec that reads from b.
func Reader(b []byte) *Codec { return &Codec{b: b, reading: true} }

// SetComplete states whether the state includes the fields that a restart may lose. The default is false.
func (c *Codec) SetComplete(complete bool) { c.complete = complete }

// Complete reports whether the state includes the fields that a restart may lose.
func (c *Codec) Complete() bool { return c.complete }

// Bytes returns the appended bytes after those passed to Writer.
func (c *Codec) Bytes() []byte { return c.b }

// Reading reports whether the codec reads.
func (c *Codec) Reading() bool { return c.reading }

// End returns Error if the bytes are not a valid state, or if there are too many.
func (c *Codec) End() error {
	if c.bad || c.reading && len(c.b) > 0 {
		return Error
	}
	return nil
}

// Ok reports whether no error has occurred.
func (c *Codec) Ok() bool { return !c.bad }

// Check makes a reader fail if ok is false.
func (c *Codec) Check(ok bool) {
	if c.reading && !ok {
		c.bad = true
	}
}

// take returns the next n bytes, or nil if there are fewer.
func (c *Codec) take(n int) []byte {
	if c.bad || len(c.b) < n {
		c.bad = true
		return nil
	}
	b := c.b[:n]
	c.b = c.b[n:]
	return b
}

// Uint8 writes or reads one byte.
func (c *Codec) Uint8(v *uint8) {
	if !c.reading {
		c.b = append(c.b, *v)
	} else if b := c.take(1); b != nil {
		*v = b[0]
	}
}

// Uint16 writes or reads two bytes.
func (c *Codec) Uint16(v *uint16) {
	if !c.reading {
		c.b = binary.LittleEndian.AppendUint16(c.b, *v)
	} else if b := c.take(2); b != nil {
		*v = binary.LittleEndian.Uint16(b)
	}
}

// Uint32 writes or reads four bytes.
func (c *Codec) Uint32(v *uint32) {
	if !c.reading {
		c.b = binary.LittleEndian.AppendUint32(c.b, *v)
	} else if b := c.take(4); b != nil {
		*v = binary.LittleEndian.Uint32(b)
	}
}

// Int64 writes or reads eight bytes.
func (c *Codec) Int64(v *int64) {
	if !c.reading {
		c.b = binary.LittleEndian.AppendUint64(c.b, uint64(*v))
	} else if b := c.take(8); b != nil {
		*v = int64(binary.LittleEndian.Uint64(b))
	}
}

// Uint64 writes or reads eight bytes.
func (c *Codec) Uint64(v *uint64) {
	i := int64(*v)
	c.Int64(&i)
	*v = uint64(i)
}

// Text writes or reads the length in four bytes and the bytes of a text, at most limit of them.
func (c *Codec) Text(v *string, limit int) {
	n := uint32(len(*v))
	c.Uint32(&n)
	c.Check(int64(n) <= int64(limit))
	if !c.reading {
		c.b = append(c.b, *v...)
	} else if b := c.take(int(n)); b != nil {
		*v = string(b)
	}
}

// Float64 writes or reads eight bytes. A reader rejects numbers that are not finite.
func (c *Codec) Float64(v *float64) {
	if !c.reading {
		c.b = binary.LittleEndian.AppendUint64(c.b, math.Float64bits(*v))
	} else if b := c.take(8); b != nil {
		*v = math.Float64frombits(binary.LittleEndian.Uint64(b))
		c.Check(*v-*v == 0)
	}
}

// Float32 writes or reads four bytes. A reader rejects NaN.
func (c *Codec) Float32(v *float32) {
	if !c.reading {
		c.b = binary.LittleEndian.AppendUint32(c.b, math.Float32bits(*v))
	} else if b := c.take(4); b != nil {
		*v = math.Float32frombits(binary.LittleEndian.Uint32(b))
		c.Check(*v == *v)
	}
}

// Float64s writes or reads all floats of vs.
func (c *Codec) Float64s(vs []float64) {
	for i := range vs {
		c.Float64(&vs[i])
	}
}

// Float32s writes or reads all floats of vs.
func (c *Codec) Float32s(vs []float32) {
	for i := range vs {
		c.Float32(&vs[i])
	}
}

// Counts writes or reads a varint for each count. A 0 is followed by the number of further zeros.
func (c *Codec) Counts(vs []uint16) {
	for i := 0; i < len(vs) && !c.bad; i++ {
		if c.reading {
			vs[i] = uint16(c.uvarint(math.MaxUint16))
		} else {
			c.b = binary.AppendUvarint(c.b, uint64(vs[i]))
		}
		if vs[i] == 0 {
			i += c.zeros(vs[i+1:])
		}
	}
}

// zeros writes or reads the number of zeros from the first count on, and returns it.
func (c *Codec) zeros(vs []uint16) int {
	n := 0
	if c.reading {
		n = int(c.uvarint(uint64(len(vs))))
		clear(vs[:n])
		return n
	}
	for n < len(vs) && vs[n] == 0 {
		n++
	}
	c.b = binary.AppendUvarint(c.b, uint64(n))
	return n
}

// uvarint reads a number that is at most limit.
func (c *Codec) uvarint(limit uint64) uint64 {
	v, n := binary.Uvarint(c.b)
	if c.bad || n <= 0 || v > limit {
		c.bad = true
		return 0
	}
	c.b = c.b[n:]
	return v
}
