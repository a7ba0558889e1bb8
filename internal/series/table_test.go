// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package series

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func at(seconds int) time.Time { return noon.Add(time.Duration(seconds) * time.Second) }

// order returns the identities in the table, the longest untouched first.
func order[V any](t *Table[V]) (ids []ID) {
	for id := range t.All() {
		ids = append(ids, id)
	}
	return ids
}

// tableWith returns a table and the list of dropped entries.
func tableWith(limit int, ttl time.Duration, ids ...ID) (*Table[string], *[]ID) {
	t := NewTable[string](limit, ttl)
	dropped := &[]ID{}
	t.Dropped = func(id ID, _ *string) { *dropped = append(*dropped, id) }
	for i, id := range ids {
		t.Add(id, 0, Size{Weight: 1}, at(i), id.String())
	}
	return t, dropped
}

func TestTableFindsWhatWasAdded(t *testing.T) {
	table, dropped := tableWith(10, time.Hour, 1, 2)
	require.NotNil(t, table.Get(1, at(5)))
	assert.Equal(t, ID(1).String(), *table.Get(1, at(5)))
	assert.Nil(t, table.Get(3, at(5)))
	v, touched := table.Peek(3)
	assert.Nil(t, v)
	assert.True(t, touched.IsZero())
	assert.Equal(t, 2, table.Len())
	assert.Equal(t, 2, table.Weight())
	assert.Empty(t, *dropped)
}

// Add and Get return pointers to the state, which remain valid when other entries change.
func TestStateStaysWhereItIs(t *testing.T) {
	table, _ := tableWith(1000, 0)
	v := table.Add(1, 0, Size{Weight: 1}, noon, "before")
	for id := ID(2); id < 900; id++ {
		table.Add(id, 0, Size{Weight: 1}, noon, "")
	}
	*v = "after"
	assert.Equal(t, "after", *table.Get(1, noon))
	assert.Same(t, v, table.Get(1, noon))
}

func TestOverTheLimitTheLongestUntouchedGoes(t *testing.T) {
	table, dropped := tableWith(3, 0, 1, 2, 3)
	table.Get(1, at(10)) // 2 is the oldest now
	table.Add(4, 0, Size{Weight: 1}, at(11), "")
	assert.Equal(t, []ID{2}, *dropped)
	assert.Equal(t, []ID{3, 1, 4}, order(table))
	assert.Equal(t, 3, table.Weight())
}

func TestWeightMakesRoomForAll(t *testing.T) {
	table, dropped := tableWith(10, 0, 1, 2, 3, 4)
	table.Add(5, 0, Size{Weight: 5}, at(5), "") // 4 + 5 fit
	assert.Empty(t, *dropped)
	table.Add(6, 0, Size{Weight: 5}, at(6), "") // needs 4 of the singles
	assert.Equal(t, []ID{1, 2, 3, 4}, *dropped)
	assert.Equal(t, 10, table.Weight())
	table.Add(7, 0, Size{Weight: 1}, at(7), "") // the oldest weighs 5
	assert.Equal(t, []ID{1, 2, 3, 4, 5}, *dropped)
	assert.Equal(t, 6, table.Weight())
	assert.Equal(t, 2, table.Len())
}

func TestWeightOverTheWholeLimitCountsAsTheLimit(t *testing.T) {
	table, dropped := tableWith(3, 0, 1, 2)
	assert.NotNil(t, table.Add(9, 0, Size{Weight: 50}, at(3), "nine"))
	assert.Equal(t, []ID{1, 2}, *dropped)
	assert.Equal(t, 3, table.Weight())
	table.Add(10, 0, Size{Weight: 1}, at(4), "")
	assert.Equal(t, []ID{1, 2, 9}, *dropped)
	assert.Equal(t, 1, table.Weight())
}

func TestPeekDoesNotTouch(t *testing.T) {
	table, dropped := tableWith(2, time.Minute, 1, 2)
	v, touched := table.Peek(1)
	assert.Equal(t, ID(1).String(), *v)
	assert.Equal(t, at(0), touched)
	_, touched = table.Peek(1)
	assert.Equal(t, at(0), touched)
	table.Add(3, 0, Size{Weight: 1}, at(5), "")
	assert.Equal(t, []ID{1}, *dropped, "1 was looked at, not touched")
}

func TestAging(t *testing.T) {
	table, dropped := tableWith(10, time.Minute, 1, 2, 3) // touched at 0, 1, 2 s
	table.Age(at(60))
	assert.Empty(t, *dropped, "exactly the time to live is not over it")
	table.Age(at(61))
	assert.Equal(t, []ID{1}, *dropped)
	table.Get(2, at(61))
	table.Age(at(120))
	assert.Equal(t, []ID{1, 3}, *dropped)
	assert.Equal(t, []ID{2}, order(table))
	table.Age(at(500))
	assert.Equal(t, []ID{1, 3, 2}, *dropped)
	assert.Zero(t, table.Len())
	assert.Zero(t, table.Weight())
	table.Age(at(600)) // an empty table ages too
}

func TestEntryWithItsOwnTimeToLive(t *testing.T) {
	table, dropped := tableWith(10, time.Minute, 1, 2, 3) // touched at 0, 1, 2 s
	table.TTL = func(v *string) time.Duration {
		if *v == ID(2).String() {
			return time.Hour
		}
		return time.Second // shorter than the table's
	}
	table.Age(at(60))
	assert.Empty(t, *dropped)
	table.Age(at(62))
	assert.Equal(t, []ID{1}, *dropped, "2 is kept")
	table.Age(at(62).Add(restPerKept - 1))
	assert.Equal(t, []ID{1}, *dropped, "a visit to one that stays is followed by a rest")
	table.Age(at(63))
	assert.Equal(t, []ID{1, 3}, *dropped)
	table.Age(at(3601))
	assert.Equal(t, []ID{1, 3}, *dropped)
	table.Age(at(3602))
	assert.Equal(t, []ID{1, 3, 2}, *dropped)
}

func TestNothingAgesWithoutTimeToLive(t *testing.T) {
	for _, ttl := range []time.Duration{0, -time.Second} {
		table, dropped := tableWith(10, ttl, 1)
		table.Age(noon.AddDate(50, 0, 0))
		assert.Empty(t, *dropped)
	}
}

func TestTableWithoutDroppedIsBoundedToo(t *testing.T) {
	table := NewTable[int](2, 0)
	for id := range ID(10) {
		table.Add(id, 0, Size{Weight: 1}, noon, 0)
	}
	assert.Equal(t, []ID{8, 9}, order(table))
}

func TestAllStopsWhenAsked(t *testing.T) {
	table, _ := tableWith(10, 0, 1, 2, 3)
	n := 0
	for range table.All() {
		n++
		break
	}
	assert.Equal(t, 1, n)
}

// A thousand random calls are compared with a simple model. Every entry is dropped at most once,
// and none that is in the table was dropped.
func TestTableAgainstAModel(t *testing.T) {
	type entry struct {
		id      ID
		weight  int
		touched time.Time
	}
	const limit, ttl = 20, 30 * time.Second
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 3))
		table, dropped := tableWith(limit, ttl)
		var model []entry // the oldest first
		var gone []ID
		find := func(id ID) int {
			for i := range model {
				if model[i].id == id {
					return i
				}
			}
			return -1
		}
		weight := func() (w int) {
			for _, e := range model {
				w += e.weight
			}
			return w
		}
		next := ID(0)
		for step := range 1000 {
			now := at(step)
			switch random.IntN(4) {
			case 0, 1:
				next++
				w := 1 + random.IntN(6)
				for weight()+w > limit {
					gone = append(gone, model[0].id)
					model = model[1:]
				}
				model = append(model, entry{next, w, now})
				table.Add(next, 0, Size{Weight: w}, now, "")
			case 2:
				id := ID(random.IntN(int(next) + 1))
				i := find(id)
				require.Equal(t, i >= 0, table.Get(id, now) != nil)
				if i >= 0 {
					e := model[i]
					e.touched = now
					model = append(append(model[:i:i], model[i+1:]...), e)
				}
			case 3:
				for len(model) > 0 && now.Sub(model[0].touched) > ttl {
					gone = append(gone, model[0].id)
					model = model[1:]
				}
				table.Age(now)
			}
			require.Equal(t, weight(), table.Weight())
			require.LessOrEqual(t, table.Weight(), limit)
		}
		want := make([]ID, 0, len(model))
		for _, e := range model {
			want = append(want, e.id)
		}
		require.Equal(t, want, order(table))
		require.Equal(t, gone, *dropped)
	}
}

// A found entry gives access to its state until the table drops it.
func TestEntryThatWasFound(t *testing.T) {
	at := time.Unix(0, 0)
	table := NewTable[int](2, 0)
	table.Add(1, 0, Size{Weight: 1}, at, 10)
	assert.Nil(t, table.Find(7))
	one := table.Find(1)
	require.NotNil(t, one)
	assert.Equal(t, 10, one.Value)
	table.Add(2, 0, Size{Weight: 1}, at, 20)
	assert.Equal(t, 10, *table.Touch(one, at.Add(time.Second)), "and it is the latest now")
	table.Add(3, 0, Size{Weight: 1}, at.Add(time.Second), 30)
	assert.Nil(t, table.Find(2), "the one longest untouched goes")
	table.Add(4, 0, Size{Weight: 1}, at.Add(time.Second), 40)
	assert.Nil(t, table.Touch(one, at), "it has left the table")
}

func TestIdleStopsAtTheFirstThatIsNot(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	table := NewTable[int](10, 0)
	for i := range 5 {
		table.Add(ID(i), 0, Size{Weight: 1}, at(i), i)
	}
	var idle []int
	for v := range table.Idle(at(2)) {
		idle = append(idle, *v)
	}
	assert.Equal(t, []int{0, 1, 2}, idle)
	for range table.Idle(at(2)) {
		break
	}
}
