// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package series

import (
	"strings"
	"testing"
	"unicode/utf8"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

func TestShort(t *testing.T) {
	limit := strings.Repeat("x", MaxText)
	for _, same := range []string{"", "checkout", limit} {
		assert.Equal(t, same, Short(same))
	}
	a, b := Short(limit+"a"), Short(limit+"b")
	assert.NotEqual(t, a, b, "they differ behind what is kept")
	assert.Equal(t, limit[:MaxText-19]+"…"+Text(limit+"a").String(), a)
	assert.Equal(t, a, Short(a))
	for _, long := range []string{strings.Repeat("ö", MaxText), "x" + strings.Repeat("日", MaxText), strings.Repeat("\xff", 1<<20)} {
		got := Short(long)
		assert.True(t, utf8.ValidString(got))
		assert.LessOrEqual(t, len(got), MaxText)
	}
}

func TestCloneSharesNoMemory(t *testing.T) {
	request := strings.Repeat("k", 10) + strings.Repeat("v", 10)
	m := pcommon.NewMap()
	m.PutStr(request[:10], request[10:])
	list := m.PutEmptySlice("list")
	list.AppendEmpty().SetStr(request[3:])
	list.AppendEmpty().SetEmptyMap().PutStr("inner", request[2:])
	m.PutEmptyBytes("bytes").FromRaw([]byte{1, 2})
	m.PutInt("int", 7)
	c := Clone(m)
	assert.Equal(t, m.AsRaw(), c.AsRaw())
	inside := func(s string) {
		t.Helper()
		from, at := uintptr(unsafe.Pointer(unsafe.StringData(request))), uintptr(unsafe.Pointer(unsafe.StringData(s)))
		assert.False(t, at >= from && at < from+uintptr(len(request)), "%q is a part of the request", s)
	}
	for k, v := range c.All() {
		inside(k)
		if v.Type() == pcommon.ValueTypeStr {
			inside(v.Str())
		}
	}
	got, _ := c.Get("list")
	inside(got.Slice().At(0).Str())
	inner, _ := got.Slice().At(1).Map().Get("inner")
	inside(inner.Str())
}
