// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package snapshot

import (
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/auspex-otel/auspex/internal/state"
)

// maxDepth bounds nested attribute values. A deeper value is written as text.
const maxDepth = 64

// Attributes writes or reads a map, in its own order.
func Attributes(c *state.Codec, m pcommon.Map) { attributes(c, m, 0) }

// Scope writes or reads a scope.
func Scope(c *state.Codec, s pcommon.InstrumentationScope) {
	name, version := s.Name(), s.Version()
	c.String(&name)
	c.String(&version)
	set(c, name, s.SetName)
	set(c, version, s.SetVersion)
	Attributes(c, s.Attributes())
}

func attributes(c *state.Codec, m pcommon.Map, depth int) {
	n := m.Len()
	c.Length(&n, 5)
	if !c.Reading() {
		for k, v := range m.All() {
			c.String(&k)
			value(c, v, depth)
		}
		return
	}
	for ; n > 0 && c.Ok(); n-- {
		var k string
		c.String(&k)
		value(c, m.PutEmpty(k), depth)
	}
}

// value writes or reads one value: its type, then its content.
func value(c *state.Codec, v pcommon.Value, depth int) {
	if !c.Reading() && depth >= maxDepth-1 {
		v = pcommon.NewValueStr(v.AsString())
	}
	c.Check(depth < maxDepth)
	kind := uint8(v.Type())
	if c.Uint8(&kind); !c.Ok() {
		return
	}
	switch pcommon.ValueType(kind) {
	case pcommon.ValueTypeEmpty:
	case pcommon.ValueTypeStr:
		text := v.AsString()
		c.String(&text)
		set(c, text, v.SetStr)
	case pcommon.ValueTypeInt:
		n := get(c, v.Int)
		c.Int64(&n)
		set(c, n, v.SetInt)
	case pcommon.ValueTypeDouble:
		f := get(c, v.Double)
		c.Bits(&f)
		set(c, f, v.SetDouble)
	case pcommon.ValueTypeBool:
		b := get(c, v.Bool)
		c.Bool(&b)
		set(c, b, v.SetBool)
	case pcommon.ValueTypeBytes:
		text := get(c, func() string { return string(v.Bytes().AsRaw()) })
		c.String(&text)
		set(c, text, func(text string) { v.SetEmptyBytes().FromRaw([]byte(text)) })
	case pcommon.ValueTypeMap:
		if c.Reading() {
			v.SetEmptyMap()
		}
		attributes(c, v.Map(), depth+1)
	case pcommon.ValueTypeSlice:
		if c.Reading() {
			v.SetEmptySlice()
		}
		list(c, v.Slice(), depth+1)
	default:
		c.Check(false)
	}
}

func list(c *state.Codec, s pcommon.Slice, depth int) {
	n := s.Len()
	c.Length(&n, 1)
	if !c.Reading() {
		for _, v := range s.All() {
			value(c, v, depth)
		}
		return
	}
	for ; n > 0 && c.Ok(); n-- {
		value(c, s.AppendEmpty(), depth)
	}
}

// get returns the value to write, or sets the value that was read.
func get[T any](c *state.Codec, f func() T) (v T) {
	if !c.Reading() {
		v = f()
	}
	return v
}

func set[T any](c *state.Codec, v T, f func(T)) {
	if c.Reading() {
		f(v)
	}
}
