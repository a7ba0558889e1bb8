// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package snapshot

import (
	"bytes"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/auspex-otel/auspex/internal/state"
)

func write(m pcommon.Map) []byte {
	c := state.Writer(nil)
	Attributes(c, m)
	return c.Bytes()
}

func read(b []byte) (pcommon.Map, error) {
	c, m := state.Reader(b), pcommon.NewMap()
	Attributes(c, m)
	return m, c.End()
}

func TestAttributesRoundTrip(t *testing.T) {
	m := pcommon.NewMap()
	require.NoError(t, m.FromRaw(map[string]any{
		"string": "ü", "empty": "", "int": int64(math.MinInt64), "double": math.Copysign(0, -1), "bool": true, "false": false, "nil": nil, "bytes": []byte{0, 255},
		"no bytes": []byte{}, "slice": []any{"a", []any{int64(1), nil}, map[string]any{"k": "v"}}, "map": map[string]any{"x": map[string]any{}}, "": "no key",
	}))
	b := write(m)
	got, err := read(b)
	require.NoError(t, err)
	assert.Equal(t, m.AsRaw(), got.AsRaw())
	for n := range b {
		_, err := read(b[:n])
		assert.ErrorIs(t, err, state.Error, "%d bytes", n)
	}
}

// TestNestingIsBounded verifies that deeply nested attributes do not exhaust the stack, and that values within the
// limit of OTLP are restored.
func TestNestingIsBounded(t *testing.T) {
	nested := func(depth int) pcommon.Map {
		m := pcommon.NewMap()
		for at := m; depth > 0; depth-- {
			at = at.PutEmptyMap("k")
		}
		return m
	}
	got, err := read(write(nested(30)))
	require.NoError(t, err)
	assert.Equal(t, nested(30).AsRaw(), got.AsRaw())
	got, err = read(write(nested(1000)))
	require.NoError(t, err)
	assert.NotEmpty(t, got.AsRaw(), "what is deeper comes back as text")

	one := []byte{1, 0, 0, 0, 1, 0, 0, 0, 'k', byte(pcommon.ValueTypeMap)}
	_, err = read(append(bytes.Repeat(one, 10_000), 0, 0, 0, 0))
	require.ErrorIs(t, err, state.Error)
}

func FuzzAttributes(f *testing.F) {
	for _, raw := range []map[string]any{{}, {"k": "v"}, {"a": []any{int64(1), 2.5, true, nil, []byte{1}}, "b": map[string]any{"c": map[string]any{}}}} {
		m := pcommon.NewMap()
		require.NoError(f, m.FromRaw(raw))
		f.Add(write(m))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := read(b)
		if err != nil {
			return
		}
		again, err := read(write(m))
		require.NoError(t, err, "what is written can be read")
		require.Equal(t, write(m), write(again))
	})
}

func TestManifest(t *testing.T) {
	m := Manifest{Generation: 42, Taken: time.Unix(0, 7).UTC(), Chunks: 3}
	b := m.bytes()
	var got Manifest
	require.NoError(t, got.parse(b))
	assert.Equal(t, m, got)
	for i := range b {
		damaged := bytes.Clone(b)
		damaged[i] ^= 1
		assert.Error(t, got.parse(damaged), "byte %d", i)
		assert.Error(t, got.parse(b[:i]), "%d bytes", i)
	}
	require.ErrorIs(t, got.parse(seal(append(bytes.Clone(b[:len(b)-crcSize]), 0))), state.Error, "sealed, but longer")
}

// TestLayoutOnDisk verifies the layout on disk byte by byte. docs/formats/snapshot.md describes it.
func TestLayoutOnDisk(t *testing.T) {
	assert.Equal(t, "snapshot/0/manifest", manifestKey(0))
	assert.Equal(t, "snapshot/1/12", chunkKey(1, 12))
	m := Manifest{Generation: 0x0102, Taken: time.Unix(0, 0x0304), Chunks: 5}
	assert.Equal(t, []byte{9, 2, 1, 0, 0, 0, 0, 0, 0, 4, 3, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0}, m.bytes()[:21])

	w := &Writer{generation: 9}
	require.NoError(t, w.Add(7, func(c *state.Codec) { v := uint16(0x0201); c.Uint16(&v) }))
	require.NoError(t, w.Add(8, func(*state.Codec) {}))
	assert.Equal(t, []byte{9, 9, 0, 0, 0, 0, 0, 0, 0, 7, 2, 0, 0, 0, 1, 2, 8, 0, 0, 0, 0}, w.open)
}
