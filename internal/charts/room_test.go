// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package charts

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestWorkPerPoint verifies that few series give way for one point, that the memory is bounded after each point, and
// that the store counts its bytes exactly. The loads are the worst ones: many series with few points beside one that
// doubles its memory, more series than there is room for, and pins that change.
func TestWorkPerPoint(t *testing.T) {
	const most = 60_000
	for name, load := range map[string]func(i int, r *rand.Rand) (series uint64, at int64){
		"equal":    func(i int, _ *rand.Rand) (uint64, int64) { return uint64(i % 100), int64(i / 100) },
		"growing":  func(i int, _ *rand.Rand) (uint64, int64) { return uint64(i%2*(i%150)) + 1, int64(i) },
		"too many": func(i int, r *rand.Rand) (uint64, int64) { return r.Uint64N(1000), int64(i) },
		"hours":    func(i int, _ *rand.Rand) (uint64, int64) { return uint64(i % 50), int64(i) * 60 },
	} {
		t.Run(name, func(t *testing.T) {
			s, r := New(Config{MaxBytes: most, MaxAge: 24 * time.Hour}), rand.New(rand.NewPCG(1, 1))
			var handles [1000]Handle
			touched, busy := 0, 0
			for i := range 6_000 {
				id, at := load(i, r)
				before := sizes(s)
				s.Record(&handles[id], id, "cart", Point{Time: (at + 1) * second, Value: 1, Expected: nan, Lower: nan, Upper: nan})
				n := changed(before, sizes(s))
				touched += n
				busy = max(busy, n)
				require.LessOrEqual(t, s.bytes, most, "point %d", i)
				if i%1000 == 0 {
					s.Pin(r.Uint64N(100), zero.Add(time.Duration(i)*time.Second))
					requireCounted(t, s)
				}
			}
			requireCounted(t, s)
			assert.Greater(t, busy, 1, "series give way")
			assert.LessOrEqual(t, busy, mostSteps+1)
			assert.Less(t, touched, 3*6_000, "on average, a point has fewer than two other series give way")
		})
	}
}

// sizes returns the number of points of each series, changed how many series have another number than before.
func sizes(s *Store) map[uint64]int {
	n := make(map[uint64]int, len(s.lines))
	for id, l := range s.lines {
		n[id] = l.len()
	}
	return n
}

func changed(before, after map[uint64]int) (n int) {
	for id := range before {
		if after[id] != before[id] {
			n++
		}
	}
	for id := range after {
		if _, ok := before[id]; !ok {
			n++
		}
	}
	return n
}

func requireCounted(t *testing.T, s *Store) {
	t.Helper()
	bytes, pinned := 0, 0
	for _, l := range s.lines {
		bytes += l.bytes()
		if l.pinned > 0 {
			pinned += l.bytes()
		}
	}
	require.Equal(t, [...]int{bytes, pinned, len(s.lines)}, [...]int{s.bytes, s.pinnedBytes, s.loose.Len() + s.pinned.Len()})
}

// TestSeriesGiveWayInTurn verifies that each series gives way before one does so again, and that the result depends on
// nothing but the points.
func TestSeriesGiveWayInTurn(t *testing.T) {
	run := func() *Store {
		s := New(Config{MaxBytes: 100 * 2000, MaxAge: time.Hour})
		for i := range 500 {
			for id := range uint64(100) {
				fill(s, id, i, 1)
			}
		}
		return s
	}
	s := run()
	least, most := fullRaw, 0
	for id := range uint64(100) {
		least, most = min(least, len(all(s, id))), max(most, len(all(s, id)))
	}
	assert.Greater(t, least, 15)
	assert.Less(t, most, 4*least)
	assert.Equal(t, slices.Collect(s.Chunks), slices.Collect(run().Chunks))
}

// TestPinsAreBounded verifies that pinned series take up to half of the memory, and that the ones that were pinned the
// longest ago lose their pins beyond.
func TestPinsAreBounded(t *testing.T) {
	s := New(Config{MaxBytes: 100_000, MaxAge: time.Hour})
	for id := uint64(1); id <= 20; id++ {
		fill(s, id, 0, 60)
		s.Pin(id, zero.Add(time.Duration(40-id)*time.Minute)) // 20 was pinned the longest ago
	}
	for id := uint64(21); id < 100; id++ {
		fill(s, id, 0, 60)
	}
	requireCounted(t, s)
	assert.LessOrEqual(t, s.pinnedBytes, 50_000)
	assert.Len(t, all(s, 1), 60)
	assert.Len(t, all(s, 17), 60)
	for _, id := range []uint64{18, 19, 20} {
		assert.Less(t, len(all(s, id)), 60, "series %d was pinned the longest ago", id)
	}
	assert.NotEmpty(t, all(s, 99), "the newest series has room")
	s.Expire(zero.Add(3 * time.Hour))
	assert.Zero(t, s.pinnedBytes)
	requireCounted(t, s)
}

// TestHandles verifies that a handle finds its series again after the series has left the store, and in another store.
func TestHandles(t *testing.T) {
	var h Handle
	p := Point{Time: second, Value: 1, Expected: 1, Lower: 0, Upper: 2}
	s := New(Config{MaxBytes: 1 << 20, MaxAge: time.Hour})
	s.Record(&h, 1, "cart", p)
	p.Time = 10_000 * second
	s.Record(&Handle{}, 2, "shop", p)
	s.Expire(time.Unix(1e9, 0))
	assert.Empty(t, all(s, 1))
	s.Record(&h, 1, "cart", p)
	s.Record(&h, 1, "cart", p)
	assert.Len(t, all(s, 1), 1)
	assert.Len(t, s.Shares(zero)["cart"], 1)
	other := New(day)
	other.Record(&h, 1, "cart", p)
	assert.Len(t, all(other, 1), 1)
}

// BenchmarkRecord records a point for each of 100,000 series in random order, with and without room for them.
func BenchmarkRecord(b *testing.B) {
	const series = 100_000
	for name, bytes := range map[string]int{"room": 4 << 30, "full": 64 << 20} {
		b.Run(name, func(b *testing.B) {
			s, order := New(Config{MaxBytes: bytes, MaxAge: 7 * 24 * time.Hour}), rand.New(rand.NewPCG(1, 1)).Perm(series)
			handles := make([]Handle, series)
			n := 0
			record := func() {
				id := order[n%series]
				s.Record(&handles[id], uint64(id), "cart", Point{Time: int64(n/series+1) * 10 * second, Value: 1, Expected: 1, Lower: 0, Upper: 2})
				n++
			}
			for range 34 * series {
				record()
			}
			b.ReportAllocs()
			for b.Loop() {
				record()
			}
		})
	}
}
