// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package template

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/mask"
	"github.com/auspex-otel/auspex/internal/state"
	"github.com/auspex-otel/auspex/internal/template/scan"
)

func TestConfig(t *testing.T) {
	require.NoError(t, DefaultConfig().Validate())
	for _, n := range []int{0, 99, 1<<20 + 1} {
		cfg := DefaultConfig()
		cfg.MaxTemplates = n
		assert.ErrorContains(t, cfg.Validate(), "max_templates")
	}
}

func TestServicesAreApart(t *testing.T) {
	m := New(DefaultConfig())
	a, b := m.Observe("a", "started"), m.Observe("b", "started")
	assert.NotEqual(t, a.ID, b.ID)
	assert.True(t, b.New)
	assert.Equal(t, a.ID, m.Observe("a", "started").ID)
}

// Ids are a part of the contract: stored records contain them.
func TestIDsDoNotChange(t *testing.T) {
	m := New(DefaultConfig())
	assert.Equal(t, "5d7c3296bc0925b9", m.Observe("shop", "order 17 took 3 ms").ID.String())
}

func TestCounts(t *testing.T) {
	m := New(DefaultConfig())
	for range 3 {
		m.Observe("s", "one 1")
	}
	m.Observe("s", "two")
	info, ok := m.Lookup(m.Observe("s", "one 2").Final)
	require.True(t, ok)
	assert.Equal(t, Info{ID: info.ID, Service: "s", Template: "one <*>", Example: "one 1", Count: 4, Last: 5}, info)
	assert.Equal(t, Stats{Lines: 5, Templates: 2}, m.Stats())
	_, ok = m.Lookup(1)
	assert.False(t, ok)
	assert.Equal(t, ID(1), m.Resolve(1))
}

func TestPatternsOfTheUserAreNotKept(t *testing.T) {
	masker, err := mask.New([]string{`customer \w+`})
	require.NoError(t, err)
	cfg := DefaultConfig()
	cfg.Mask = masker
	m := New(cfg)
	a := m.Observe("s", "bill of customer Jones is late")
	b := m.Observe("s", "bill of customer Miller is late")
	assert.Equal(t, a.ID, b.ID)
	state, err := m.AppendBinary(nil)
	require.NoError(t, err)
	assert.NotContains(t, string(state), "Jones")
	assert.NotContains(t, string(state), "Miller")
}

func TestSecretsAreNotKept(t *testing.T) {
	m := New(DefaultConfig())
	for _, line := range []string{
		"login of jane.doe@example.com", "paid by 4111 1111 1111 1111", "Authorization: Bearer abcdefghijklmnopqrstuvwxyz", "password=hunter2",
	} {
		m.Observe("s", line)
		assert.Empty(t, m.Params(nil), line)
	}
	state, err := m.AppendBinary(nil)
	require.NoError(t, err)
	for _, secret := range []string{"jane", "4111", "abcdef", "hunter"} {
		assert.NotContains(t, string(state), secret)
	}
}

// Above the limit, templates that were seen once are evicted first, and recurring ones stay.
func TestBounded(t *testing.T) {
	cfg := DefaultConfig()
	cfg.MaxTemplates = 200
	m := New(cfg)
	rng := rand.New(rand.NewPCG(1, 1))
	useful := m.Observe("s", "worker 1 took 2 ms").ID
	for i := range 20_000 {
		m.Observe("s", junk(rng))
		m.Observe("s", fmt.Sprintf("user %s came in from the %s", word5(rng), word5(rng)))
		if i%50 == 0 {
			match := m.Observe("s", "worker 1 took 2 ms")
			require.False(t, match.New, i)
			require.Equal(t, useful, match.ID)
		}
	}
	stats := m.Stats()
	assert.LessOrEqual(t, len(m.byID), 200)
	assert.LessOrEqual(t, len(m.nodes), 201)
	assert.LessOrEqual(t, stats.Templates, 200)
	assert.Greater(t, stats.Evicted, uint64(10_000))
	assert.LessOrEqual(t, len(m.columns), 200*(scan.MaxCells+len(depths)))
	checkStructure(t, m)
}

func checkStructure(t *testing.T, m *Miner) {
	t.Helper()
	cells, kids, roots := map[uint64]int32{}, map[int32]int32{}, 0
	for id, i := range m.byID {
		n := &m.nodes[i]
		require.Equal(t, id, n.id)
		if n.parent != none {
			kids[n.parent]++
			require.Contains(t, m.byID, m.nodes[n.parent].id, "the parent is kept")
			continue
		}
		roots++
		for _, k := range n.keys {
			if k != noColumn {
				cells[k]++
			}
		}
		for _, k := range n.kin {
			cells[k]++
		}
	}
	require.Equal(t, m.roots, roots)
	require.Equal(t, len(m.byID), m.young.n+m.settled.n)
	for _, i := range m.byID {
		require.Equal(t, kids[i], m.nodes[i].kids)
	}
	for k, c := range m.columns {
		require.Equal(t, cells[k], c.cells)
		require.True(t, c.cells > 0 || c.general != none, "an empty column")
		if c.general != none {
			require.Contains(t, m.nodes[c.general].from, k)
		}
	}
	for k := range cells {
		require.Contains(t, m.columns, k)
	}
}

func word5(rng *rand.Rand) string {
	b := make([]byte, 5)
	for i := range b {
		b[i] = byte('a' + rng.IntN(26))
	}
	return string(b)
}

func junk(rng *rand.Rand) string {
	words := make([]string, 1+rng.IntN(10))
	for i := range words {
		words[i] = word5(rng)
	}
	return strings.Join(words, " ")
}

func TestJunkFlood(t *testing.T) {
	lines := 200_000
	if testing.Short() {
		lines = 30_000
	}
	m := New(DefaultConfig())
	rng := rand.New(rand.NewPCG(2, 2))
	for range lines {
		m.Observe("s", junk(rng))
	}
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	assert.Less(t, stats.HeapInuse, uint64(64<<20))
	assert.Len(t, m.byID, DefaultConfig().MaxTemplates)
	assert.True(t, m.Observe("s", "order 1 done").New)
}

func TestLongLines(t *testing.T) {
	m := New(DefaultConfig())
	for _, line := range []string{strings.Repeat("a", 1<<20), strings.Repeat("a ", 1<<18), strings.Repeat("=", 1<<18), strings.Repeat("<*>", 1<<18), strings.Repeat("a=1,", 1<<16)} {
		match := m.Observe("s", line)
		assert.LessOrEqual(t, len(match.Template), maxText)
		again := m.Observe("s", line)
		assert.Equal(t, match.ID, again.ID)
	}
	b, err := m.AppendBinary(nil)
	require.NoError(t, err)
	require.NoError(t, New(DefaultConfig()).UnmarshalBinary(b))
}

// Invalid UTF-8 cannot be an attribute of a record.
func TestTemplatesAreUTF8(t *testing.T) {
	m := New(DefaultConfig())
	service := strings.Repeat("s", 1<<20)
	for _, end := range []string{"", "x", "xx", "xxx"} {
		end += strings.Repeat("é", 5000)
		match := m.Observe(service, "caf\xe9 17 closed"+end)
		info, ok := m.Lookup(match.ID)
		require.True(t, ok)
		for _, s := range []string{match.Template, info.Template, info.Example} {
			assert.True(t, utf8.ValidString(s), "%q", s)
		}
		assert.Equal(t, match.ID, m.Observe(service, "caf\xe9 18 closed"+end).ID)
	}
	restored(t, m)
}

func TestDamagedStateIsAnError(t *testing.T) {
	b := seeded(t)
	m := New(DefaultConfig())
	for n := range b {
		require.ErrorIs(t, m.UnmarshalBinary(b[:n]), state.Error, "cut at %d", n)
		require.Zero(t, m.Stats())
	}
	require.ErrorIs(t, m.UnmarshalBinary(append(b, 0)), state.Error)
	b[0]++
	require.ErrorIs(t, m.UnmarshalBinary(b), state.Error)
	m.Observe("s", "still works")
}

// A state of a miner with a higher limit is restored as far as it fits.
func TestSmallerLimit(t *testing.T) {
	m := New(DefaultConfig())
	rng := rand.New(rand.NewPCG(3, 3))
	for range 1000 {
		m.Observe("s", junk(rng))
	}
	b, err := m.AppendBinary(nil)
	require.NoError(t, err)
	cfg := DefaultConfig()
	cfg.MaxTemplates = 100
	small := New(cfg)
	require.NoError(t, small.UnmarshalBinary(b))
	assert.Len(t, small.byID, 100)
	checkStructure(t, small)
}

// seeded returns the state of a miner with all kinds of data.
func seeded(tb testing.TB) []byte {
	tb.Helper()
	m := New(DefaultConfig())
	for _, line := range seeds {
		m.Observe("s", line)
	}
	for _, name := range []string{"ann", "ben", "cid", "dan", "eve"} {
		m.Observe("s", "user "+name+" came in by the gate")
	}
	b, err := m.AppendBinary(nil)
	require.NoError(tb, err)
	return b
}

var seeds = []string{
	"10.1.2.3:7001 handed part prt_-17 over to /10.1.2.4", `key=value, other = "a b", empty= x=`, `{"a":1,"b":"x"}`,
	"at Mon Mar 2 08:16:49 CEST 2026 for 3 days", "00:1b:44:11:3a:b7 fe80::1:2 C:\\a\\b https://x/y?z", "a.b.example.com user@host.org x@7c31f09 ()[]{}",
	"prt_1 prt_2 prt_3", "<1 sec <*> '' \"\" 'x'", "550e8400-e29b-41d4-a716-446655440000 slot3 (0x1f) 45%", "…é\xff\x00", strings.Repeat("a1 ", 300),
}

func fewTemplates() Config {
	cfg := DefaultConfig()
	cfg.MaxTemplates = 100
	return cfg
}

// FuzzObserve checks that a line always gets the same id and is new once, and that any state can
// be saved and restored.
func FuzzObserve(f *testing.F) {
	for i, line := range seeds {
		f.Add(line, seeds[(i+1)%len(seeds)])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		m := New(fewTemplates())
		first, second := m.Observe("s", a), m.Observe("s", b)
		for _, word := range []string{"ann", "ben", "cid", "dan", "eve", "fay"} {
			m.Observe("s", a+" "+word+" of the same thing")
			m.Params(nil)
		}
		Body(a)
		m = restored(t, m)
		again := m.Observe("s", a)
		require.Equal(t, first.ID, again.ID)
		require.False(t, again.New)
		require.Equal(t, second.ID, m.Observe("s", b).ID)
		require.Equal(t, again.Final, m.Resolve(first.ID))
		checkStructure(t, m)
	})
}

func FuzzState(f *testing.F) {
	f.Add(seeded(f))
	f.Fuzz(func(t *testing.T, b []byte) {
		m := New(fewTemplates())
		if m.UnmarshalBinary(b) != nil {
			require.Zero(t, m.Stats())
		}
		for _, line := range seeds {
			m.Observe("s", line)
			m.Params(nil)
		}
	})
}

// stream returns n lines of 40 templates with varying values.
func stream(n int) []string {
	rng := rand.New(rand.NewPCG(4, 4))
	heads := []string{"Moving the part", "request of the cart", "connection from the peer", "desk opened for guest root", "Cache miss for key"}
	lines := make([]string, n)
	for i := range lines {
		k := rng.IntN(8)
		lines[i] = fmt.Sprintf("%s prt_%d src: /10.%d.%d.1:%d part%c took %d ms, status=%d path=/var/lib/%x", heads[rng.IntN(5)], rng.Int64(), rng.IntN(256), rng.IntN(256), rng.IntN(65536), 'a'+k, rng.IntN(1000), rng.IntN(600), rng.Uint32())
	}
	return lines
}

func TestKnownTemplatesAllocateNothing(t *testing.T) {
	lines := stream(1000)
	m := New(DefaultConfig())
	var params []Param
	run := func() {
		for _, line := range lines {
			m.Observe("s", line)
			params = m.Params(params[:0])
		}
	}
	run()
	assert.Zero(t, testing.AllocsPerRun(3, run))
}

func BenchmarkObserve(b *testing.B)           { benchmark(b, false) }
func BenchmarkObserveWithParams(b *testing.B) { benchmark(b, true) }

func benchmark(b *testing.B, with bool) {
	b.Helper()
	lines := stream(10_000)
	m := New(DefaultConfig())
	var params []Param
	for _, line := range lines {
		m.Observe("s", line)
	}
	b.ReportAllocs()
	b.SetBytes(int64(len(lines[0])))
	i := 0
	for b.Loop() {
		m.Observe("s", lines[i%len(lines)])
		if with {
			params = m.Params(params[:0])
		}
		i++
	}
}

func BenchmarkNewTemplates(b *testing.B) {
	rng := rand.New(rand.NewPCG(5, 5))
	m := New(DefaultConfig())
	b.ReportAllocs()
	for b.Loop() {
		m.Observe("s", junk(rng))
	}
}

func TestWithoutExamples(t *testing.T) {
	cfg := DefaultConfig()
	with := New(cfg)
	cfg.NoExamples = true
	without := New(cfg)
	const line = "user 17 logged in"
	for m, want := range map[*Miner]string{with: line, without: ""} {
		info, ok := m.Lookup(m.Observe("shop", line).ID)
		require.True(t, ok)
		assert.Equal(t, want, info.Example)
	}
	b, err := with.AppendBinary(nil)
	require.NoError(t, err)
	require.NoError(t, without.UnmarshalBinary(b))
	info, ok := without.Lookup(with.Observe("shop", line).ID)
	require.True(t, ok)
	assert.Empty(t, info.Example, "what an earlier setting kept is forgotten")
}
