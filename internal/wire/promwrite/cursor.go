// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package promwrite

import (
	"errors"
	"math"
)

// Wire types of protobuf.
const (
	wireVarint  = 0
	wireFixed64 = 1
	wireBytes   = 2
	wireFixed32 = 5
)

var (
	errTruncated = errors.New("it ends within a field")
	errVarint    = errors.New("a number of more than 64 bits")
	errWireType  = errors.New("a field of an unknown wire type")
	errField     = errors.New("a field number of 0")
	errForm      = errors.New("a field with the wrong wire type")
)

// cursor iterates over the fields of one message.
type cursor struct {
	rest  string
	field uint64
	wire  uint64
	num   uint64 // value of a numeric field
	bytes string // value of a text or message field
}

// more reports whether another field follows.
func (c *cursor) more() bool { return c.rest != "" }

// next reads a field.
func (c *cursor) next() error {
	key, err := c.varint()
	if err != nil {
		return err
	}
	c.field, c.wire = key>>3, key&7
	if c.field == 0 {
		return errField
	}
	switch c.wire {
	case wireVarint:
		c.num, err = c.varint()
	case wireFixed64:
		c.num, err = c.fixed(8)
	case wireFixed32:
		c.num, err = c.fixed(4)
	case wireBytes:
		var n uint64
		if n, err = c.varint(); err != nil {
			return err
		}
		if n > uint64(len(c.rest)) {
			return errTruncated
		}
		c.bytes, c.rest = c.rest[:n], c.rest[n:]
	default:
		return errWireType
	}
	return err
}

func (c *cursor) varint() (uint64, error) {
	s := c.rest
	if s != "" && s[0] < 0x80 {
		c.rest = s[1:]
		return uint64(s[0]), nil
	}
	var v uint64
	for i := range len(s) {
		b := s[i]
		if i == 9 && b > 1 {
			return 0, errVarint
		}
		v |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			c.rest = s[i+1:]
			return v, nil
		}
	}
	return 0, errTruncated
}

// fixed reads a little-endian number of n bytes.
func (c *cursor) fixed(n int) (v uint64, err error) {
	if len(c.rest) < n {
		return 0, errTruncated
	}
	for i := range n {
		v |= uint64(c.rest[i]) << (8 * i)
	}
	c.rest = c.rest[n:]
	return v, nil
}

// is checks the wire type of the field.
func (c *cursor) is(wire uint64) error {
	if c.wire != wire {
		return errForm
	}
	return nil
}

func (c *cursor) text() (string, error)   { return c.bytes, c.is(wireBytes) }
func (c *cursor) uint() (uint64, error)   { return c.num, c.is(wireVarint) }
func (c *cursor) int() (int64, error)     { return int64(c.num), c.is(wireVarint) }
func (c *cursor) zigzag() (int64, error)  { return zigzag(c.num), c.is(wireVarint) }
func (c *cursor) float() (float64, error) { return math.Float64frombits(c.num), c.is(wireFixed64) }

func zigzag(v uint64) int64 { return int64(v>>1) ^ -int64(v&1) }

// numbers appends the numbers of a repeated field, packed or not. It omits numbers above most,
// which must be the limit plus one.
func numbers[T any](c *cursor, list []T, most int, wire uint64, convert func(uint64) T) ([]T, error) {
	if c.wire == wire {
		if len(list) < most {
			list = append(list, convert(c.num))
		}
		return list, nil
	}
	if err := c.is(wireBytes); err != nil {
		return list, err
	}
	for in := (cursor{rest: c.bytes}); in.more(); {
		var v uint64
		var err error
		if wire == wireFixed64 {
			v, err = in.fixed(8)
		} else {
			v, err = in.varint()
		}
		if err != nil {
			return list, err
		}
		if len(list) < most {
			list = append(list, convert(v))
		}
	}
	return list, nil
}
