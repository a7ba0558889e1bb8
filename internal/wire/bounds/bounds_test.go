// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package bounds

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestJSON(t *testing.T) {
	for text, want := range map[string][2]int{
		`7`:                           {1, 0},
		`"a,b[{"`:                     {1, 0},
		`"a\",[\\"`:                   {1, 0},
		`"\\",[`:                      {3, 1},
		`{}`:                          {2, 1},
		`{"a":1,"b":{"c":[1,2,3]}}`:   {7, 3},
		`[1,1,1]`:                     {4, 1},
		`[[[[`:                        {5, 4},
		`]]]][`:                       {2, 0},
		`{"open`:                      {2, 1},
		`{"open\`:                     {2, 1},
		strings.Repeat("[", 100_000):  {100_001, 100_000},
		`[` + strings.Repeat("1,", 9): {11, 1},
	} {
		values, depth := JSON([]byte(text))
		assert.Equal(t, want, [2]int{values, depth}, "%.20s", text)
	}
}

// TestJSONIsLinear reads a string of escaped quotation marks. A search that looks back from each
// of them would take quadratic time.
func TestJSONIsLinear(t *testing.T) {
	text := []byte(`["` + strings.Repeat(`\\\"`, 1<<20) + strings.Repeat(`\`, 1<<20) + `"]`)
	began := time.Now()
	values, _ := JSON(text)
	assert.Equal(t, 2, values)
	assert.Less(t, time.Since(began), 5*time.Second)
}

func count(v any) (values, depth int) {
	values = 1
	children := func(inner any) {
		n, d := count(inner)
		values += n
		depth = max(depth, d)
	}
	switch v := v.(type) {
	case []any:
		for _, one := range v {
			children(one)
		}
		depth++
	case map[string]any:
		for _, one := range v {
			children(one)
		}
		depth++
	}
	return values, depth
}

// FuzzJSON compares with the decoder of the standard library.
func FuzzJSON(f *testing.F) {
	f.Add([]byte(`{"a":[1,"\"",{"b":null}],"c":{}}`))
	f.Add([]byte(`"\\\"`))
	f.Fuzz(func(t *testing.T, text []byte) {
		values, depth := JSON(text)
		if values < 1 || depth < 0 || depth > len(text) || values > len(text)+1 {
			t.Fatalf("%d values, depth %d in %d bytes", values, depth, len(text))
		}
		var v any
		if json.NewDecoder(bytes.NewReader(text)).Decode(&v) != nil {
			return
		}
		// A duplicate key leaves one value, and text may follow.
		if n, d := count(v); n > values || d > depth {
			t.Fatalf("found %d values and depth %d, the decoder %d and %d", values, depth, n, d)
		}
	})
}

func BenchmarkJSON(b *testing.B) {
	text := []byte(`{"@timestamp":"2026-05-04T12:00:00.123Z","message":"GET /cart 200 in 12 ms for user 4711","host":{"name":"web-1"},"agent":{"id":"c0ffee","type":"filebeat"},"log":{"offset":12345,"file":{"path":"/var/log/shop/access.log"}}}`)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		JSON(text)
	}
}
