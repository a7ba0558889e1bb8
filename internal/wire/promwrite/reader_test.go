// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package promwrite

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// enc writes protobuf.
type enc []byte

func (e enc) num(field, v uint64) enc {
	return enc(binary.AppendUvarint(binary.AppendUvarint(e, field<<3), v))
}

func (e enc) float(field uint64, v float64) enc {
	return enc(binary.LittleEndian.AppendUint64(binary.AppendUvarint(e, field<<3|wireFixed64), math.Float64bits(v)))
}

func (e enc) text(field uint64, v string) enc {
	return enc(append(binary.AppendUvarint(binary.AppendUvarint(e, field<<3|wireBytes), uint64(len(v))), v...))
}

func (e enc) sub(field uint64, v enc) enc { return e.text(field, string(v)) }

func label(name, value string) enc { return enc{}.text(1, name).text(2, value) }

func sample(v float64, t uint64) enc { return enc{}.float(1, v).num(2, t) }

// told is a sink that records its data as text.
type told struct{ strings.Builder }

func (b *told) Series(s *Series) {
	fmt.Fprintf(b, "series %v unsorted=%v %v %v %+v\n", s.Labels, s.Unsorted, s.Samples, s.Exemplars, s.Metadata)
	for _, h := range s.Histograms {
		fmt.Fprintf(b, "histogram %+v\n", h)
	}
}

func (b *told) Metadata(m Metadata) { fmt.Fprintf(b, "metadata %+v\n", m) }
func (b *told) Refused(f Fault)     { fmt.Fprintf(b, "refused %+v\n", f) }

// memory limits the memory of a reader; without a limit it grants all.
type memory struct{ limit, used int }

func (m *memory) Reserve(n int) error {
	if m.limit > 0 && m.used+n > m.limit {
		return errNoMemory
	}
	m.used += n
	return nil
}

func (m *memory) Release(n int) { m.used -= n }

var errNoMemory = errors.New("no memory")

func read(t *testing.T, v Version, body enc) string {
	t.Helper()
	var b told
	require.NoError(t, NewReader(DefaultLimits()).Read(v, []byte(body), &memory{}, &b))
	return b.String()
}

func TestVersion1(t *testing.T) {
	exemplar := enc{}.sub(1, label("trace_id", "t")).float(2, 0.5).num(3, 900)
	body := enc{}.
		sub(1, enc{}.sub(2, sample(1.5, 1000)).sub(1, label("__name__", "x")).sub(3, exemplar).sub(1, label("a", "b")).sub(2, sample(2, 2000)).num(99, 7)).
		sub(3, enc{}.num(1, 1).text(2, "x").text(4, "what").text(5, "s"))
	assert.Equal(t, "series [{__name__ x} {a b}] unsorted=false [{1.5 1000 0} {2 2000 0}] [{[{trace_id t}] 0.5 900}] {Family: Type:unknown Help: Unit:}\n"+
		"metadata {Family:x Type:counter Help:what Unit:s}\n", read(t, Version1, body))
}

func packed(values ...uint64) string {
	var b []byte
	for _, v := range values {
		b = binary.AppendUvarint(b, v)
	}
	return string(b)
}

// Symbols may come last, and references in one field or in several.
func TestVersion2(t *testing.T) {
	series := enc{}.text(1, packed(2, 3)).num(1, 1).num(1, 4).
		sub(2, sample(1.5, 1000).num(3, 500)).
		sub(4, enc{}.text(1, packed(2, 3)).float(2, 1).num(3, 1000)).
		sub(5, enc{}.num(1, 2).num(3, 5).num(4, 0))
	body := enc{}.sub(5, series)
	for _, s := range []string{"", "__name__", "a", "b", "x", "what"} {
		body = body.text(4, s)
	}
	assert.Equal(t, "series [{__name__ x} {a b}] unsorted=true [{1.5 1000 500}] [{[{a b}] 1 1000}] {Family: Type:gauge Help:what Unit:}\n", read(t, Version2, body))
}

func TestHistogram(t *testing.T) {
	zig := func(v int64) uint64 { return uint64(v<<1) ^ uint64(v>>63) }
	h := enc{}.num(1, 9).float(3, 4.5).num(4, zig(-2)).float(5, 0.25).num(6, 1).
		sub(8, enc{}.num(1, zig(-3)).num(2, 1)).text(9, packed(zig(2))).
		sub(11, enc{}.num(1, zig(0)).num(2, 2)).num(12, zig(4)).num(12, zig(-2)).num(14, 2).num(15, 1000).num(17, 500)
	got := read(t, Version1, enc{}.sub(1, enc{}.sub(1, label("__name__", "x")).sub(4, h)))
	assert.Contains(t, got, "Time:1000 Start:500 Float:false Count:9 ZeroCount:1")
	assert.Contains(t, got, "Schema:-2 ZeroThreshold:0.25 Positive:{Spans:[{Offset:0 Length:2}] Deltas:[4 -2] Counts:[]} Negative:{Spans:[{Offset:-3 Length:1}] Deltas:[2] Counts:[]} Hint:2")

	b := Buckets{Spans: []Span{{-2, 2}, {3, 1}}, Deltas: []int64{1, 1, -2}}
	first, end := b.Range()
	assert.Equal(t, []int{-2, 4}, []int{first, end})
	var walked []string
	b.Walk(false, func(number int, count uint64) { walked = append(walked, fmt.Sprint(number, ":", count)) })
	assert.Equal(t, []string{"-2:1", "-1:2", "3:0"}, walked)
}

func TestTypes(t *testing.T) {
	for i := range typeNames {
		assert.Equal(t, Type(i), ParseType(Type(i).String()))
	}
	assert.Equal(t, "unknown", Type(99).String())
	assert.Equal(t, TypeUnknown, ParseType("nonsense"))
	assert.True(t, IsStale(Stale()))
	assert.False(t, IsStale(math.NaN()))
}

// A reader is reused, and no data of one request appears in the next.
func TestReaderIsUsedAgain(t *testing.T) {
	r := NewReader(DefaultLimits())
	one := []byte(enc{}.sub(1, enc{}.sub(1, label("__name__", "x")).sub(2, sample(1, 1000))))
	none := &memory{}
	for range 3 {
		var b told
		require.NoError(t, r.Read(Version1, one, &memory{}, &b))
		assert.Equal(t, 1, strings.Count(b.String(), "series"))
	}
	assert.Zero(t, testing.AllocsPerRun(100, func() { _ = r.Read(Version1, one, none, discard{}) }))
}

// The data for the sink does not reference the request.
func TestTextsAreCopied(t *testing.T) {
	long := strings.Repeat("l", 1000)
	exemplar := enc{}.sub(1, label("trace_id", "t"))
	one := enc{}.sub(1, enc{}.sub(1, label("__name__", "x")).sub(1, label("long", long)).sub(2, sample(1, 1000)).sub(3, exemplar)).
		sub(3, enc{}.num(1, 1).text(2, "family").text(4, "help").text(5, "unit"))
	two := enc{}.text(4, "").text(4, "__name__").text(4, "x").text(4, long).
		sub(5, enc{}.text(1, packed(1, 2, 3, 3)).sub(2, sample(1, 1000)).sub(5, enc{}.num(1, 1).num(3, 3).num(4, 2)))
	for v, body := range map[Version][]byte{Version1: []byte(one), Version2: []byte(two)} {
		want := read(t, v, enc(body))
		require.Contains(t, want, long)
		var s kept
		require.NoError(t, NewReader(DefaultLimits()).Read(v, body, &memory{}, &s))
		for i := range body {
			body[i] = '!'
		}
		var b told
		for i := range s.series {
			b.Series(&s.series[i])
		}
		for _, m := range s.metadata {
			b.Metadata(m)
		}
		assert.Equal(t, want, b.String())
	}
}

// kept is a sink that keeps its data.
type kept struct {
	series   []Series
	metadata []Metadata
}

func (k *kept) Series(s *Series)    { k.series = append(k.series, *s) }
func (k *kept) Metadata(m Metadata) { k.metadata = append(k.metadata, m) }
func (k *kept) Refused(Fault)       {}

// Memory is reserved before it is allocated, also for few bytes that represent much data.
func TestMemory(t *testing.T) {
	gap := enc{}.num(1, 2).num(4, 2).num(15, 9).sub(11, enc{}.num(2, 1)).sub(11, enc{}.num(1, 2*9000).num(2, 1)).text(12, packed(2, 0))
	histogram := enc{}.sub(1, enc{}.sub(1, label("__name__", "x")).sub(4, gap))
	refs := enc{}.text(4, "").sub(5, enc{}.text(1, strings.Repeat("\x00", 1<<20)))
	deltas := enc{}.sub(1, enc{}.sub(1, label("__name__", "x")).sub(4, enc{}.num(15, 9).text(12, strings.Repeat("\x00", 1<<20))))
	for name, c := range map[string]struct {
		v     Version
		body  enc
		least int // minimum number of reserved bytes
	}{
		"a histogram with a gap": {Version1, histogram, 9000 * bucketCost},
		"labels":                 {Version1, enc{}.sub(1, enc(strings.Repeat(string(enc{}.sub(1, label("a", "b"))), 1000))), 1000 * labelCost},
		"symbols":                {Version2, enc(strings.Repeat(string(enc{}.text(4, "")), 1000)), 1000 * symbolCost},
		"samples":                {Version1, enc{}.sub(1, enc(strings.Repeat(string(enc{}.sub(2, sample(1, 1000))), 1000))), 1000 * pointCost},
	} {
		m := &memory{}
		require.NoError(t, NewReader(DefaultLimits()).Read(c.v, c.body, m, discard{}), name)
		assert.GreaterOrEqual(t, m.used, c.least, name)
		assert.Less(t, m.used, 3*c.least, name)
		m = &memory{limit: c.least / 2}
		assert.Equal(t, errNoMemory, NewReader(DefaultLimits()).Read(c.v, c.body, m, discard{}), name)
	}
	for name, c := range map[string]struct {
		v    Version
		body enc
	}{"a million references": {Version2, refs}, "a million deltas": {Version1, deltas}} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		var b told
		require.NoError(t, NewReader(DefaultLimits()).Read(c.v, c.body, &memory{}, &b), name)
		runtime.ReadMemStats(&after)
		assert.Contains(t, b.String(), "refused", name)
		assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(2<<20), name)
	}
}

type discard struct{}

func (discard) Series(*Series)    {}
func (discard) Metadata(Metadata) {}
func (discard) Refused(Fault)     {}

// checked is a sink that checks the guarantees of a Reader.
type checked struct {
	*testing.T
	limits Limits
	points int
}

func (c *checked) Series(s *Series) {
	c.points += len(s.Samples) + len(s.Histograms) + len(s.Exemplars)
	require.LessOrEqual(c, len(s.Labels), c.limits.Labels)
	for i, l := range s.Labels {
		require.NotEmpty(c, l.Name)
		require.NotEmpty(c, l.Value)
		require.True(c, i == 0 || s.Labels[i-1].Name < l.Name)
	}
	require.NotEmpty(c, s.Get(NameLabel))
	for _, sample := range s.Samples {
		require.Positive(c, sample.Time*1_000_000)
	}
	for i := range s.Histograms {
		h := &s.Histograms[i]
		if IsStale(h.Sum) {
			continue
		}
		for _, side := range []*Buckets{&h.Positive, &h.Negative} {
			first, end := side.Range()
			require.LessOrEqual(c, end-first, c.limits.Buckets)
			side.Walk(h.Float, func(number int, _ uint64) { require.True(c, number >= first && number < end) })
		}
	}
}

func (c *checked) Metadata(Metadata) {}
func (c *checked) Refused(f Fault) {
	require.NotEmpty(c, f.Reason)
	c.points += f.Samples + f.Histograms + f.Exemplars
}

// A Reader keeps its guarantees and limits for any input.
func FuzzReader(f *testing.F) {
	f.Add(false, []byte(enc{}.sub(1, enc{}.sub(1, label("__name__", "x")).sub(2, sample(1, 1000)))))
	f.Add(true, []byte(enc{}.text(4, "").text(4, "__name__").text(4, "x").sub(5, enc{}.text(1, packed(1, 2)).sub(2, sample(1, 1000)).sub(3, enc{}.num(1, 3).num(4, 2).num(15, 9)))))
	f.Add(false, []byte(enc{}.sub(1, enc{}.sub(1, label("__name__", "x")).sub(4, enc{}.num(1, 9).num(4, 105).sub(11, enc{}.num(2, 2)).text(12, packed(2, 2)).float(16, 1).num(15, 5)))))
	f.Fuzz(func(t *testing.T, two bool, body []byte) {
		v := Version1
		if two {
			v = Version2
		}
		limits := Limits{Points: 20, Labels: 5, LabelBytes: 20, Buckets: 50}
		sink := &checked{T: t, limits: limits}
		m := &memory{limit: 100_000}
		err := NewReader(limits).Read(v, body, m, sink)
		if errors.Is(err, errNoMemory) {
			return
		}
		require.LessOrEqual(t, sink.points, limits.Points)
		if err != nil {
			var e *Error
			require.ErrorAs(t, err, &e)
			require.NotEmpty(t, e.Reason)
		}
	})
}

func BenchmarkReader(b *testing.B) {
	for v := Version1; v <= Version2; v++ {
		b.Run(strconv.Itoa(int(v)), func(b *testing.B) {
			const n = 2000
			var e enc
			if v == Version2 {
				for _, s := range []string{"", "__name__", "requests_total", "instance", "host:9090", "job", "shop", "path"} {
					e = e.text(4, s)
				}
				for i := range n {
					e = e.text(4, fmt.Sprint("/path/", i))
				}
			}
			for i := range n {
				if v == Version2 {
					e = e.sub(5, enc{}.text(1, packed(1, 2, 3, 4, 5, 6, 7, uint64(8+i))).sub(2, sample(1, 1000)).sub(5, enc{}.num(1, 1)))
					continue
				}
				e = e.sub(1, enc{}.sub(1, label("__name__", "requests_total")).sub(1, label("instance", "host:9090")).sub(1, label("job", "shop")).
					sub(1, label("path", fmt.Sprint("/path/", i))).sub(2, sample(1, 1000)))
			}
			body, none := []byte(e), &memory{}
			r := NewReader(DefaultLimits())
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				if err := r.Read(v, body, none, discard{}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "samples/s")
		})
	}
}
