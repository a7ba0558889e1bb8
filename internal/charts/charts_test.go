// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package charts

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const second = int64(time.Second)

var (
	day  = Config{MaxBytes: 64 << 20, MaxAge: 7 * 24 * time.Hour}
	nan  = float32(math.NaN())
	zero = time.Unix(0, 0)
)

// fill records n points at intervals of ten seconds, with the value i and the interval 10±5.
func fill(s *Store, id uint64, from, n int) {
	var h Handle
	for i := from; i < from+n; i++ {
		s.Record(&h, id, "cart", Point{Time: int64(i+1) * 10 * second, Value: float32(i), Expected: 10, Lower: 5, Upper: 15, Score: float32(i % 7)})
	}
}

func all(s *Store, id uint64) []Point { return s.Points(id, 0, math.MaxInt64, math.MaxInt) }

func TestRecentPointsAreAsTheyCame(t *testing.T) {
	s := New(day)
	fill(s, 1, 0, 3)
	assert.Equal(t, []Point{
		{Time: 10 * second, Value: 0, Min: 0, Max: 0, Expected: 10, Lower: 5, Upper: 15, Score: 0},
		{Time: 20 * second, Value: 1, Min: 1, Max: 1, Expected: 10, Lower: 5, Upper: 15, Score: 1},
		{Time: 30 * second, Value: 2, Min: 2, Max: 2, Expected: 10, Lower: 5, Upper: 15, Score: 2},
	}, all(s, 1))
	assert.Len(t, s.Points(1, 20*second, 20*second, 10), 1)
	assert.Empty(t, all(s, 2))
	var none *Store
	none.Record(&Handle{}, 1, "cart", Point{}) // without a console there are no charts
}

func TestOlderPointsAreMerged(t *testing.T) {
	s := New(day)
	fill(s, 1, 0, fullRaw)
	list := all(s, 1)
	require.Len(t, list, fullRaw/2+fullRaw/2/mergeBy)
	assert.Equal(t, Point{Time: 80 * second, Value: 3.5, Min: 0, Max: 7, Expected: 10, Lower: 5, Upper: 15, Score: 6}, list[0])
	assert.True(t, slices.IsSortedFunc(list, func(a, b Point) int { return int(a.Time - b.Time) }))
}

func TestExtremesAndScoresSurviveADay(t *testing.T) {
	s := New(day)
	const spike = 100
	var h Handle
	for i := range 6 * 8640 {
		p := Point{Time: int64(i+1) * 10 * second, Value: 1, Expected: nan, Lower: nan, Upper: nan}
		if i == spike {
			p.Value, p.Score = 1000, 9
		}
		s.Record(&h, 1, "cart", p)
	}
	list := all(s, 1)
	at := slices.IndexFunc(list, func(p Point) bool { return p.Max == 1000 })
	require.GreaterOrEqual(t, at, 0)
	assert.EqualValues(t, 9, list[at].Score)
	assert.True(t, math.IsNaN(float64(list[at].Expected)))
	assert.Less(t, s.Stats().Bytes, 120_000, "the bytes of six days of a series")
	assert.Len(t, s.Points(1, 0, math.MaxInt64, 100), 100, "neighbors are merged where there are too many")
}

func TestFirstDayTakesWhatThePackageStates(t *testing.T) {
	s := New(day)
	fill(s, 1, 0, 8640)
	first := all(s, 1)
	assert.InDelta(t, 66_000, s.Stats().Bytes, 2_000, "%d points", len(first))
	fill(s, 1, 8640, 8640)
	assert.InDelta(t, 66_000+5_000, s.Stats().Bytes, 4_000)
}

func TestClockThatWasSetBack(t *testing.T) {
	s := New(day)
	fill(s, 1, 0, 600)
	fill(s, 1, 100, 1)
	list := all(s, 1)
	assert.Equal(t, 1010*second, list[len(list)-1].Time)
	assert.True(t, slices.IsSortedFunc(list, func(a, b Point) int { return int(a.Time - b.Time) }))
}

func TestWithoutRoomPinnedSeriesStay(t *testing.T) {
	s := New(Config{MaxBytes: 100_000, MaxAge: time.Hour})
	fill(s, 1, 0, 100)
	s.Pin(1, zero.Add(time.Minute))
	s.Pin(99, zero) // unknown
	for id := uint64(2); id < 60; id++ {
		fill(s, id, 0, 100)
	}
	st := s.Stats()
	assert.LessOrEqual(t, st.Bytes, 100_000)
	assert.Len(t, all(s, 1), 100, "it is pinned")
	assert.NotEmpty(t, all(s, 59))
	for id := uint64(2); id < 60; id++ {
		s.Pin(id, zero.Add(time.Hour))
	}
	for id := uint64(60); id < 200; id++ {
		fill(s, id, 0, 100)
		s.Pin(id, zero.Add(time.Hour))
	}
	assert.Less(t, len(all(s, 1)), 100, "others were pinned later")
	assert.LessOrEqual(t, s.Stats().Bytes, 100_000)
}

func TestUnviewedSeriesKeepEachHourOfAWeek(t *testing.T) {
	const series, week, perDay = 100, 7 * 1440, 1440
	s := New(Config{MaxBytes: series * 12_000, MaxAge: 7 * 24 * time.Hour})
	var handles [series + 1]Handle
	for i := range week {
		for id := uint64(1); id <= series; id++ {
			v := float32(10 + i/60%24) // the mean of an hour
			switch i % 60 {
			case 10:
				v = -5
			case 11:
				v = v*2 + 5
			}
			s.Record(&handles[id], id, "cart", Point{Time: int64(i) * 60 * second, Value: v, Expected: 1, Lower: nan, Upper: nan})
		}
	}
	assert.LessOrEqual(t, s.Stats().Bytes, series*12_000)
	for _, id := range []uint64{1, series / 2, series} {
		assert.Less(t, len(all(s, id)), 7*24+2*keepNewest+fullRaw)
		for h := range int64(7 * 24) {
			list := s.Points(id, h*hour, (h+1)*hour-1, math.MaxInt)
			require.NotEmpty(t, list, "hour %d", h)
			whole := hourly(list)[0]
			level := float32(10 + h%24)
			assert.EqualValues(t, -5, whole.Min, "hour %d", h)
			assert.InDelta(t, level*2+5, whole.Max, .01, "hour %d", h)
			assert.InDelta(t, level, whole.Value, 1.5, "hour %d", h)
		}
	}
	day := hourly(all(s, 1)[:perDay/60])
	assert.LessOrEqual(t, len(day)*pointBytes, 960, "bytes of a day as the package states them")
}

func TestMeansAreWeightedByTime(t *testing.T) {
	at := func(minute int64, v float32) Point {
		return Point{Time: minute * 60 * second, Value: v, Min: v, Max: v, Expected: nan, Lower: nan, Upper: nan}
	}
	// A point for 20 minutes, one for 30, and two for one each.
	list := hourly([]Point{at(1, 0), at(21, 10), at(51, 20), at(52, 100), at(53, 100), at(61, 7)})
	require.Len(t, list, 2)
	assert.InDelta(t, (20*10+30*20+200)/52., list[0].Value, .01)
	assert.Equal(t, [2]float32{0, 100}, [2]float32{list[0].Min, list[0].Max})
	assert.EqualValues(t, 7, list[1].Value)
}

func TestAge(t *testing.T) {
	s := New(Config{MaxBytes: 1 << 20, MaxAge: time.Hour})
	fill(s, 1, 0, 1)
	fill(s, 2, 0, 400) // 4,000 seconds
	s.Expire(time.Unix(1e9, 0))
	assert.Empty(t, all(s, 1))
	assert.Equal(t, 400*second, all(s, 2)[0].Time)
	assert.Equal(t, 1, s.Stats().Series)
}

func TestShares(t *testing.T) {
	s := New(day)
	fill(s, 1, 0, 60) // ten minutes; values 5 to 15 are inside
	s.Record(&Handle{}, 2, "cart", Point{Time: 700 * second, Value: 1, Expected: nan, Lower: nan, Upper: nan})
	got := s.Shares(time.Unix(0, 0))
	require.Len(t, got["cart"], 3)
	assert.Equal(t, []Share{
		{time.Unix(0, 0).UTC(), 29, 18}, {time.Unix(300, 0).UTC(), 30, 30}, {time.Unix(600, 0).UTC(), 1, 1},
	}, got["cart"], "points without a prediction do not count")
	assert.Empty(t, s.Shares(time.Unix(3600, 0)))
}

func TestRestore(t *testing.T) {
	s := New(day)
	for id := uint64(1); id < 40; id++ {
		fill(s, id, 0, 1000)
	}
	s.Record(&Handle{}, 40, "new", Point{Time: second, Value: 1, Expected: nan, Lower: nan, Upper: nan})
	s.Pin(3, time.Unix(0, 5))
	chunks := slices.Collect(s.Chunks)
	assert.Greater(t, len(chunks), 2)
	again := New(day)
	for _, c := range chunks {
		require.NoError(t, again.Restore(c))
	}
	for id := uint64(1); id < 40; id++ {
		require.Equal(t, all(s, id), all(again, id))
	}
	assert.Len(t, all(again, 40), 1)
	assert.Equal(t, s.Shares(zero), again.Shares(zero))
	assert.Equal(t, s.Stats().Latest, again.Stats().Latest)
	assert.EqualValues(t, 5, again.lines[3].pinned)
	require.NoError(t, again.Restore(chunks[1]), "what is known stays as it is")
	assert.Equal(t, all(s, 1), all(again, 1))
}

func TestDamagedChunks(t *testing.T) {
	s := New(day)
	fill(s, 1, 0, 10)
	chunk := slices.Collect(s.Chunks)[1]
	for i := range chunk {
		bad := slices.Clone(chunk)
		bad[i] ^= 1
		require.ErrorIs(t, New(day).Restore(bad), ErrDamaged)
		require.ErrorIs(t, New(day).Restore(chunk[:i]), ErrDamaged)
	}
}

func FuzzRestore(f *testing.F) {
	s := New(day)
	fill(s, 1, 0, 600)
	for c := range s.Chunks {
		f.Add(c)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		into := New(Config{MaxBytes: 1 << 20, MaxAge: time.Hour})
		if into.Restore(b) == nil {
			fill(into, 1, 0, 10)
			assert.LessOrEqual(t, into.Stats().Bytes, 1<<20)
		}
	})
}
