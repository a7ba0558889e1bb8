// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package series

import (
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

// everyType returns attributes with every type of value.
func everyType(t testing.TB) pcommon.Map {
	t.Helper()
	return attributes(t, map[string]any{
		"string": "checkout",
		"int":    int64(-7),
		"double": 0.5,
		"true":   true,
		"false":  false,
		"bytes":  []byte{0, 1, 2},
		"slice":  []any{"a", int64(1), []any{}},
		"map":    map[string]any{"inner": "x", "deeper": map[string]any{"k": 1.5}},
		"empty":  nil,
	})
}

func attributes(t testing.TB, raw map[string]any) pcommon.Map {
	t.Helper()
	m := pcommon.NewMap()
	require.NoError(t, m.FromRaw(raw))
	return m
}

// These values are part of every state on disk and every id on the wire. A change makes all
// collectors forget what they learned. Increase the snapshot version and add a changelog fragment
// before you change a value here.
func TestIdentitiesAreStable(t *testing.T) {
	scope := pcommon.NewInstrumentationScope()
	scope.SetName("otel/http")
	scope.SetVersion("1.2.3")
	scope.Attributes().PutStr("short", "yes")

	for _, c := range []struct {
		name string
		id   ID
		want string
	}{
		{"no text", Text(""), "ef46db3751d8e999"},
		{"text", Text("service.name"), "55e50a58f9befba7"},
		{"zero", Number(0), "e220a8397b1dcdaf"},
		{"number", Number(1_700_000_000_000_000_000), "095a5379a336c8e0"},
		{"join", Text("a").Join(Text("b")), "7bfc2d10be0a43c3"},
		{"no attributes", Attributes(pcommon.NewMap()), "0000000000000000"},
		{"one attribute", Attributes(attributes(t, map[string]any{"service.name": "cart"})), "271ddea83926b0da"},
		{"every type", Attributes(everyType(t)), "d16d96a412934984"},
		{"no scope", Scope(pcommon.NewInstrumentationScope()), "058b23672beef338"},
		{"scope", Scope(scope), "d68e72d7dd473027"},
	} {
		assert.Equal(t, c.want, c.id.String(), c.name)
	}
}

func TestStringIsSixteenDigits(t *testing.T) {
	assert.Equal(t, "0000000000000000", ID(0).String())
	assert.Equal(t, "00000000000000ff", ID(255).String())
	assert.Equal(t, "0123456789abcdef", ID(0x0123456789abcdef).String())
}

func TestOrderOfAttributesDoesNotCount(t *testing.T) {
	type pair struct{ k, v string }
	pairs := make([]pair, 20)
	for i := range pairs {
		pairs[i] = pair{"key." + strconv.Itoa(i), "value " + strconv.Itoa(i%3)}
	}
	random := rand.New(rand.NewPCG(1, 2))
	build := func() pcommon.Map {
		m := pcommon.NewMap()
		for _, p := range pairs {
			m.PutStr(p.k, p.v)
		}
		inner := m.PutEmptyMap("nested") // the order in a nested map has no effect either
		for _, p := range pairs {
			inner.PutStr(p.v+p.k, p.k)
		}
		return m
	}
	want := Attributes(build())
	for range 50 {
		random.Shuffle(len(pairs), func(i, j int) { pairs[i], pairs[j] = pairs[j], pairs[i] })
		require.Equal(t, want, Attributes(build()))
	}
}

// All of these must have different IDs.
func TestWhatDiffersHasAnotherIdentity(t *testing.T) {
	sets := map[string]map[string]any{
		"nothing":              {},
		"string 1":             {"k": "1"},
		"int 1":                {"k": int64(1)},
		"double 1":             {"k": 1.0},
		"true":                 {"k": true},
		"false":                {"k": false},
		"empty value":          {"k": nil},
		"empty string":         {"k": ""},
		"zero":                 {"k": int64(0)},
		"zero double":          {"k": 0.0},
		"bytes 1":              {"k": []byte("1")},
		"slice":                {"k": []any{"1"}},
		"slice of two":         {"k": []any{"1", "2"}},
		"slice the other way":  {"k": []any{"2", "1"}},
		"slice in slice":       {"k": []any{[]any{"1"}, "2"}},
		"slice in slice, late": {"k": []any{"1", []any{"2"}}},
		"no slice":             {"k": []any{}},
		"map":                  {"k": map[string]any{"1": "1"}},
		"map below":            {"k": map[string]any{"1": map[string]any{"1": "1"}}},
		"no map":               {"k": map[string]any{}},
		"another key":          {"l": "1"},
		"two keys":             {"k": "1", "l": "2"},
		"values swapped":       {"k": "2", "l": "1"},
		"keys run together":    {"kl": "12"},
		"one key more":         {"k": "1", "l": "2", "m": nil},
	}
	seen := map[ID]string{}
	for name, raw := range sets {
		id := Attributes(attributes(t, raw))
		assert.Empty(t, seen[id], "%q and %q share an identity", name, seen[id])
		seen[id] = name
	}
}

func TestScopeIsNameVersionAndAttributes(t *testing.T) {
	build := func(name, version, attribute string) ID {
		s := pcommon.NewInstrumentationScope()
		s.SetName(name)
		s.SetVersion(version)
		if attribute != "" {
			s.Attributes().PutStr(attribute, "x")
		}
		return Scope(s)
	}
	ids := map[ID]bool{}
	for _, s := range [][3]string{{"", "", ""}, {"a", "", ""}, {"", "a", ""}, {"a", "1", ""}, {"1", "a", ""}, {"a1", "", ""}, {"a", "1", "k"}, {"a", "1", "l"}} {
		ids[build(s[0], s[1], s[2])] = true
	}
	assert.Len(t, ids, 8)
}

func TestJoinMindsTheOrder(t *testing.T) {
	a, b := Text("a"), Text("b")
	assert.NotEqual(t, a.Join(b), b.Join(a))
	assert.NotEqual(t, a.Join(b).Join(a), a.Join(b.Join(a)))
	assert.NotEqual(t, a, a.Join(0))
}

// 300,000 small sets with small differences: with 64 well-mixed bits a collision is a bug.
func TestNoCollisionsAmongSimilarSeries(t *testing.T) {
	seen := make(map[ID]struct{}, 300_000)
	m := pcommon.NewMap()
	for host := range 100 {
		m.PutInt("host", int64(host))
		for path := range 300 {
			m.PutStr("path", "/item/"+strconv.Itoa(path))
			for code := range 10 {
				m.PutInt("code", int64(code))
				seen[Attributes(m)] = struct{}{}
			}
		}
	}
	assert.Len(t, seen, 300_000)
}

func TestAttributesDoesNotAllocate(t *testing.T) {
	m := everyType(t)
	m.Remove("bytes") // pdata returns a copy of bytes
	scope := pcommon.NewInstrumentationScope()
	m.CopyTo(scope.Attributes())
	assert.Zero(t, testing.AllocsPerRun(100, func() { Attributes(m) }))
	assert.Zero(t, testing.AllocsPerRun(100, func() { Scope(scope) }))
}

func BenchmarkAttributes(b *testing.B) {
	for _, c := range []struct {
		name string
		m    pcommon.Map
	}{
		{"typical", attributes(b, map[string]any{
			"http.request.method": "GET", "http.route": "/api/cart/{id}", "http.response.status_code": int64(200),
			"server.address": "cart.shop.svc", "url.scheme": "https",
		})},
		{"every type", everyType(b)},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Attributes(c.m)
			}
		})
	}
}
