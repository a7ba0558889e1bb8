// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package series

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// MaxText is the maximum length of a kept text in bytes.
const MaxText = 256

// hashText is the length of the truncation mark and the hash after it.
const hashText = len("…") + 16

// Short returns a text of at most MaxText bytes unchanged. It truncates a longer one to a copy of
// its beginning and the hash of the whole, so that different texts stay different.
func Short(s string) string {
	if len(s) <= MaxText {
		return s
	}
	return strings.ToValidUTF8(s[:MaxText-hashText], "") + "…" + Text(s).String()
}

// Clone returns a copy of attributes that shares no memory with them, because a string of a
// request may keep the whole request alive.
func Clone(m pcommon.Map) pcommon.Map {
	c := pcommon.NewMap()
	c.EnsureCapacity(m.Len())
	for k, v := range m.All() {
		cloneValue(v, c.PutEmpty(strings.Clone(k)))
	}
	return c
}

func cloneValue(v, to pcommon.Value) {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		to.SetStr(strings.Clone(v.Str()))
	case pcommon.ValueTypeMap:
		Clone(v.Map()).MoveTo(to.SetEmptyMap())
	case pcommon.ValueTypeSlice:
		slice := to.SetEmptySlice()
		slice.EnsureCapacity(v.Slice().Len())
		for _, e := range v.Slice().All() {
			cloneValue(e, slice.AppendEmpty())
		}
	default:
		v.CopyTo(to)
	}
}

// CloneScope returns a copy of a scope that shares no memory with it.
func CloneScope(s pcommon.InstrumentationScope) pcommon.InstrumentationScope {
	c := pcommon.NewInstrumentationScope()
	c.SetName(strings.Clone(s.Name()))
	c.SetVersion(strings.Clone(s.Version()))
	Clone(s.Attributes()).MoveTo(c.Attributes())
	return c
}
