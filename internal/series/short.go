// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package series

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// MaxText is the length in bytes of a text that is kept as it is.
const MaxText = 256

// Short returns a text of at most MaxText bytes as it is. Of a longer one it returns
// a copy of the beginning, and the hash of the whole, so that two that differ stay two.
func Short(s string) string {
	if len(s) <= MaxText {
		return s
	}
	return strings.ToValidUTF8(s[:MaxText], "") + "…" + Text(s).String()
}

// Clone returns a copy of a set of attributes that shares no memory with it: a
// string of a request may keep the whole request alive.
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
