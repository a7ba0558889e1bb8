// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"encoding/binary"
	"math"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/auspex-otel/auspex/internal/state"
)

// writer appends values to b: numbers as 8 bytes, big endian, texts and bytes with their length before them.
type writer struct {
	b     []byte
	depth int
}

func (w *writer) byte(v byte)               { w.b = append(w.b, v) }
func (w *writer) uint64(v uint64)           { w.b = binary.BigEndian.AppendUint64(w.b, v) }
func (w *writer) int64(v int64)             { w.uint64(uint64(v)) }
func (w *writer) float64(v float64)         { w.uint64(math.Float64bits(v)) }
func (w *writer) setUint64(i int, v uint64) { binary.BigEndian.PutUint64(w.b[i:], v) }

func (w *writer) bool(v bool) {
	if v {
		w.byte(1)
		return
	}
	w.byte(0)
}

func (w *writer) text(s string) {
	w.uint64(uint64(len(s)))
	w.b = append(w.b, s...)
}

// state writes a bounded state with its length before it.
func (w *writer) state(fields func(*state.Codec)) {
	at := len(w.b)
	w.uint64(0)
	c := state.Writer(w.b)
	fields(c)
	w.b = c.Bytes()
	w.setUint64(at, uint64(len(w.b)-at-8))
}

// attributes writes a map in its own order.
func (w *writer) attributes(m pcommon.Map) {
	w.uint64(uint64(m.Len()))
	for k, v := range m.All() {
		w.text(k)
		w.value(v)
	}
}

func (w *writer) scope(s pcommon.InstrumentationScope) {
	w.text(s.Name())
	w.text(s.Version())
	w.attributes(s.Attributes())
}

func (w *writer) value(v pcommon.Value) {
	v = w.flatten(v)
	w.depth++
	defer func() { w.depth-- }()
	w.byte(byte(v.Type()))
	switch v.Type() {
	case pcommon.ValueTypeStr:
		w.text(v.Str())
	case pcommon.ValueTypeInt:
		w.int64(v.Int())
	case pcommon.ValueTypeDouble:
		w.float64(v.Double())
	case pcommon.ValueTypeBool:
		w.bool(v.Bool())
	case pcommon.ValueTypeBytes:
		w.text(string(v.Bytes().AsRaw()))
	case pcommon.ValueTypeMap:
		w.attributes(v.Map())
	case pcommon.ValueTypeSlice:
		w.uint64(uint64(v.Slice().Len()))
		for _, e := range v.Slice().All() {
			w.value(e)
		}
	case pcommon.ValueTypeEmpty:
	}
}

// flatten returns v, or as text what is nested deeper than a reader follows.
func (w *writer) flatten(v pcommon.Value) pcommon.Value {
	if w.depth < maxDepth-1 {
		return v
	}
	return pcommon.NewValueStr(v.AsString())
}

// reader takes values from b in the order in which a writer appended them. After
// the first error it returns zero values and keeps the error.
type reader struct {
	b     []byte
	depth int
	err   error
}

const maxDepth = 64 // of nested attribute values

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	if r.err != nil {
		r.b = nil
	}
}

// end returns the first error, or one if bytes are left over.
func (r *reader) end() error {
	if r.err == nil && len(r.b) > 0 {
		return errNotWhole
	}
	return r.err
}

func (r *reader) take(n int) []byte {
	if r.err != nil || n < 0 || n > len(r.b) {
		r.fail(errNotWhole)
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) bool() bool { return r.byte() == 1 }

func (r *reader) uint64() uint64 {
	if b := r.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

func (r *reader) int64() int64     { return int64(r.uint64()) }
func (r *reader) float64() float64 { return math.Float64frombits(r.uint64()) }

// length reads how many items of at least size bytes follow, and refuses more than can follow.
func (r *reader) length(size int) int {
	n := r.uint64()
	if n > uint64(len(r.b)/size) {
		r.fail(errNotWhole)
		return 0
	}
	return int(n)
}

func (r *reader) bytes() []byte { return r.take(r.length(1)) }
func (r *reader) text() string  { return string(r.bytes()) }

// state reads what a writer's state wrote.
func (r *reader) state(fields func(*state.Codec)) {
	c := state.Reader(r.bytes())
	if fields(c); r.err == nil {
		r.fail(c.End())
	}
}

func (r *reader) attributes() pcommon.Map {
	m := pcommon.NewMap()
	r.into(m)
	return m
}

func (r *reader) scope() pcommon.InstrumentationScope {
	s := pcommon.NewInstrumentationScope()
	s.SetName(r.text())
	s.SetVersion(r.text())
	r.into(s.Attributes())
	return s
}

func (r *reader) into(m pcommon.Map) {
	if r.depth++; r.depth > maxDepth {
		r.fail(errNotWhole)
	}
	for range r.length(9) {
		k := r.text()
		r.value(m.PutEmpty(k))
	}
	r.depth--
}

func (r *reader) value(v pcommon.Value) {
	switch pcommon.ValueType(r.byte()) {
	case pcommon.ValueTypeEmpty:
	case pcommon.ValueTypeStr:
		v.SetStr(r.text())
	case pcommon.ValueTypeInt:
		v.SetInt(r.int64())
	case pcommon.ValueTypeDouble:
		v.SetDouble(r.float64())
	case pcommon.ValueTypeBool:
		v.SetBool(r.bool())
	case pcommon.ValueTypeBytes:
		v.SetEmptyBytes().FromRaw([]byte(r.text()))
	case pcommon.ValueTypeMap:
		r.into(v.SetEmptyMap())
	case pcommon.ValueTypeSlice:
		if r.depth++; r.depth > maxDepth {
			r.fail(errNotWhole)
		}
		s := v.SetEmptySlice()
		for range r.length(1) {
			r.value(s.AppendEmpty())
		}
		r.depth--
	default:
		r.fail(errNotWhole)
	}
}
