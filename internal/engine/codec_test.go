// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

func TestCodecRoundTrip(t *testing.T) {
	attributes := pcommon.NewMap()
	require.NoError(t, attributes.FromRaw(map[string]any{
		"string": "ü", "empty": "", "int": int64(math.MinInt64), "double": math.Copysign(0, -1), "bool": true, "false": false, "nil": nil, "bytes": []byte{0, 255},
		"no bytes": []byte{}, "slice": []any{"a", []any{int64(1), nil}, map[string]any{"k": "v"}}, "map": map[string]any{"x": map[string]any{}}, "": "no key",
	}))
	w := writer{}
	w.byte(200)
	w.bool(true)
	w.bool(false)
	w.uint64(math.MaxUint64)
	w.int64(math.MinInt64)
	w.float64(math.Inf(-1))
	w.text("text")
	w.text("")
	w.attributes(attributes)

	r := reader{b: w.b}
	assert.Equal(t, byte(200), r.byte())
	assert.True(t, r.bool())
	assert.False(t, r.bool())
	assert.Equal(t, uint64(math.MaxUint64), r.uint64())
	assert.Equal(t, int64(math.MinInt64), r.int64())
	assert.True(t, math.IsInf(r.float64(), -1))
	assert.Equal(t, "text", r.text())
	assert.Empty(t, r.text())
	got := r.attributes()
	require.NoError(t, r.end())
	assert.Equal(t, attributes.AsRaw(), got.AsRaw())

	// Cut anywhere it is an error, never a panic and never something else.
	for n := range w.b {
		r := reader{b: w.b[:n]}
		r.byte()
		r.bool()
		r.bool()
		r.uint64()
		r.int64()
		r.float64()
		r.text()
		r.text()
		r.attributes()
		assert.ErrorIs(t, r.end(), errNotWhole, "%d bytes", n)
	}
}

func TestLeftOverBytesAreAnError(t *testing.T) {
	r := reader{b: []byte{1, 2}}
	r.byte()
	assert.ErrorIs(t, r.end(), errNotWhole)
}

// A length from a damaged file must not decide how much memory is taken.
func TestLengthsAreBoundedByWhatFollows(t *testing.T) {
	for _, n := range []uint64{9, 1 << 31, 1 << 62, math.MaxUint64} {
		w := writer{}
		w.uint64(n)
		w.b = append(w.b, "12345678"...)
		for name, read := range map[string]func(*reader){
			"bytes":      func(r *reader) { r.bytes() },
			"attributes": func(r *reader) { r.attributes() },
			"numbers":    func(r *reader) { assert.Zero(t, r.length(8)) },
		} {
			r := reader{b: w.b}
			read(&r)
			assert.ErrorIs(t, r.end(), errNotWhole, "%s of %d", name, n)
		}
	}
}

// Attributes that are nested deeper than anybody's must not exhaust the stack; what OTLP can carry must come back.
func TestNestingIsBounded(t *testing.T) {
	nested := func(depth int) pcommon.Map {
		m := pcommon.NewMap()
		for at := m; depth > 0; depth-- {
			at = at.PutEmptyMap("k")
		}
		return m
	}
	w := writer{}
	w.attributes(nested(30))
	r := reader{b: w.b}
	assert.Equal(t, nested(30).AsRaw(), r.attributes().AsRaw())
	require.NoError(t, r.end())

	w = writer{}
	w.attributes(nested(1000))
	r = reader{b: w.b}
	assert.NotEmpty(t, r.attributes().AsRaw(), "what is deeper comes back as text")
	require.NoError(t, r.end())

	// Bytes that no writer wrote.
	var b writer
	for range 10_000 {
		b.uint64(1)
		b.text("k")
		b.byte(byte(pcommon.ValueTypeMap))
	}
	b.uint64(0)
	r = reader{b: b.b}
	r.attributes()
	require.ErrorIs(t, r.end(), errNotWhole)
}

// What the engine writes it must be able to read: one strange attribute must not cost the whole state.
func TestDeeplyNestedAttributeDoesNotCostTheState(t *testing.T) {
	e := newEngine()
	md := from("s", gauge("m", 0, 1), gauge("n", 0, 1))
	at := md.ResourceMetrics().At(0).ScopeMetrics().At(0).Metrics().At(0).Gauge().DataPoints().At(0).Attributes()
	for range 2 * maxDepth {
		at = at.PutEmptyMap("k")
	}
	e.ObserveMetrics(md, shownNone)
	disk := persist(t, e)
	require.NoError(t, e.Snapshot(t.Context(), start))
	r, logs := restored(t, disk, 0)
	assert.Empty(t, errorsIn(logs))
	assert.NotEmpty(t, r.Series(SeriesQuery{Metric: "n"}))
}

func FuzzCodec(f *testing.F) {
	for _, raw := range []map[string]any{{}, {"k": "v"}, {"a": []any{int64(1), 2.5, true, nil, []byte{1}}, "b": map[string]any{"c": map[string]any{}}}} {
		m := pcommon.NewMap()
		require.NoError(f, m.FromRaw(raw))
		w := writer{}
		w.attributes(m)
		f.Add(w.b)
	}
	f.Add([]byte(strings.Repeat("\x00", 7) + "\x01" + strings.Repeat("\x00", 8) + "\x05"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := reader{b: b}
		m := r.attributes()
		if r.end() != nil {
			return
		}
		w := writer{}
		w.attributes(m)
		again := reader{b: w.b}
		got := again.attributes()
		require.NoError(t, again.end(), "what is written can be read")
		second := writer{}
		second.attributes(got)
		require.Equal(t, w.b, second.b)
	})
}
