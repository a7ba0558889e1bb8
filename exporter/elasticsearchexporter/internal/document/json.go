// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package document

import (
	"encoding/base64"
	"math"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/auspex-otel/auspex/internal/wire/esbulk"
)

// writer appends JSON and inserts commas.
type writer struct{ b []byte }

// comma inserts a comma if the last byte ends a value. A document begins after a line end, and no
// value ends in one of these bytes.
func (w *writer) comma() {
	if n := len(w.b); n > 0 {
		switch w.b[n-1] {
		case '{', '[', ':', '\n':
		default:
			w.b = append(w.b, ',')
		}
	}
}

func (w *writer) open(bracket byte)  { w.comma(); w.b = append(w.b, bracket) }
func (w *writer) close(bracket byte) { w.b = append(w.b, bracket) }

func (w *writer) key(k string) {
	w.comma()
	w.b = append(esbulk.AppendString(w.b, k), ':')
}

func (w *writer) object(k string) { w.key(k); w.b = append(w.b, '{') }

func (w *writer) str(s string) { w.comma(); w.b = esbulk.AppendString(w.b, s) }

// text writes a field unless it is empty.
func (w *writer) text(k, s string) {
	if s != "" {
		w.key(k)
		w.str(s)
	}
}

func (w *writer) integer(n int64)   { w.comma(); w.b = strconv.AppendInt(w.b, n, 10) }
func (w *writer) unsigned(n uint64) { w.comma(); w.b = strconv.AppendUint(w.b, n, 10) }

// count writes a field unless it is 0.
func (w *writer) count(k string, n uint32) {
	if n > 0 {
		w.key(k)
		w.integer(int64(n))
	}
}

// double always writes a fraction or an exponent: from 5 Elasticsearch would infer an integer
// field and then index 5.5 as 5. Infinities and NaN, which JSON lacks, become null.
func (w *writer) double(f float64) {
	w.comma()
	if math.IsNaN(f) || math.IsInf(f, 0) {
		w.b = append(w.b, "null"...)
		return
	}
	start := len(w.b)
	w.b = strconv.AppendFloat(w.b, f, 'g', -1, 64)
	for _, c := range w.b[start:] {
		if c == '.' || c == 'e' {
			return
		}
	}
	w.b = append(w.b, ".0"...)
}

// timestamp writes nanoseconds in a format that the types date and date_nanos accept.
func (w *writer) timestamp(k string, t pcommon.Timestamp) {
	w.key(k)
	w.b = append(w.b, '"')
	w.b = t.AsTime().AppendFormat(w.b, time.RFC3339Nano)
	w.b = append(w.b, '"')
}

// raw appends encoded fields, separated by commas.
func (w *writer) raw(fields []byte) {
	if len(fields) > 0 {
		w.comma()
		w.b = append(w.b, fields...)
	}
}

// value writes any value. A map becomes an object; of duplicate keys the first is written.
func (w *writer) value(v pcommon.Value) {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		w.str(v.Str())
	case pcommon.ValueTypeInt:
		w.integer(v.Int())
	case pcommon.ValueTypeDouble:
		w.double(v.Double())
	case pcommon.ValueTypeBool:
		w.comma()
		w.b = strconv.AppendBool(w.b, v.Bool())
	case pcommon.ValueTypeBytes:
		w.str(base64.StdEncoding.EncodeToString(v.Bytes().AsRaw()))
	case pcommon.ValueTypeSlice:
		w.open('[')
		for _, e := range v.Slice().All() {
			w.value(e)
		}
		w.close(']')
	case pcommon.ValueTypeMap:
		w.open('{')
		seen := map[string]bool{}
		for k, e := range v.Map().All() {
			if !seen[k] {
				seen[k] = true
				w.key(k)
				w.value(e)
			}
		}
		w.close('}')
	default:
		w.comma()
		w.b = append(w.b, "null"...)
	}
}
