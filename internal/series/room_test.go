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

// known is an entry that has learned from some points.
type known struct {
	owner  ID
	points uint64
}

// learningTable returns a table whose entries are stale after an hour.
func learningTable(limit int) *Table[known] {
	t := NewTable[known](limit, 0)
	t.Learned = func(k *known) uint64 { return k.points }
	t.Stale = func(*known) time.Duration { return time.Hour }
	return t
}

// fill adds n entries of an owner with the given points each. It returns the number of added
// entries.
func fill(t *Table[known], owner, from ID, n int, points uint64, now time.Time) (added int) {
	for i := range ID(n) {
		id := owner<<32 | (from + i)
		if t.Add(id, owner, Size{1, 10}, now, known{owner: owner}) == nil {
			continue
		}
		added++
		if points > 0 {
			t.Find(id).Value.points = points
			t.Touch(t.Find(id), now)
		}
	}
	return added
}

func count(t *Table[known], owner ID) (n int) {
	for _, k := range t.All() {
		if k.owner == owner {
			n++
		}
	}
	return n
}

func TestFloodOfOneOwnerEvictsNothingThatHasLearned(t *testing.T) {
	table := learningTable(1000)
	fill(table, 1, 0, 30, enough, at(0))
	fill(table, 2, 0, 100_000, 1, at(1))
	assert.Equal(t, 30, count(table, 1))
	assert.Equal(t, 970, count(table, 2))
	assert.Equal(t, 1, fill(table, 3, 0, 1, 1, at(2)), "another one below its share")
	assert.Equal(t, 30, count(table, 1))
}

func TestFloodOfManyOwnersEvictsNothingThatHasLearned(t *testing.T) {
	table := learningTable(1000)
	fill(table, 1, 0, 300, enough, at(0))
	fill(table, 1, 300, 200, 2, at(0))
	for owner := range ID(10_000) {
		fill(table, 10+owner, 0, 3, 1, at(1))
	}
	assert.Equal(t, 500, count(table, 1), "what has learned a little, too")
	assert.Equal(t, 1000, table.Weight())
}

func TestOwnerBelowItsShareTakesFromTheLargest(t *testing.T) {
	table := learningTable(900)
	fill(table, 1, 0, 100, enough, at(0))
	fill(table, 2, 0, 800, enough, at(0))
	assert.Equal(t, 300, fill(table, 3, 0, 500, enough, at(1)), "a third, all of it from the second")
	assert.Equal(t, 100, count(table, 1))
	assert.Zero(t, fill(table, 2, 1000, 1, enough, at(1)), "the second one is at its share")
}

func TestStaleEntriesGiveWay(t *testing.T) {
	table := learningTable(10)
	fill(table, 1, 0, 10, enough, at(0))
	assert.Zero(t, fill(table, 1, 10, 1, 1, at(3600)))
	assert.Equal(t, 1, fill(table, 1, 10, 1, 1, at(3601)))
}

func TestTableIsBoundedInBytes(t *testing.T) {
	table := learningTable(1000)
	table.SetLimit(100)
	assert.Equal(t, 10, fill(table, 1, 0, 10, enough, at(0)))
	assert.Zero(t, fill(table, 1, 10, 5, 1, at(0)))
	assert.Equal(t, 100, table.Bytes())
	fill(table, 2, 0, 1, 1, at(1))
	table.SetLimit(50)
	assert.Equal(t, 50, table.Bytes())
}

// The lists and sums of owners agree with the entries after any sequence of operations.
func TestOwnersAgreeWithTheirEntries(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	table := learningTable(100)
	gone := 0
	table.Dropped = func(ID, *known) { gone++ }
	added := 0
	for step := range 20_000 {
		now := at(step)
		id, owner := ID(random.IntN(1000)), ID(random.IntN(20))
		if e := table.Find(id); e != nil {
			e.Value.points += uint64(random.IntN(20))
			table.Touch(e, now)
		} else if table.Add(id, owner, Size{1 + random.IntN(3), 10}, now, known{owner: owner}) != nil {
			added++
		}
		if step%1000 == 999 {
			table.SetLimit(500 + random.IntN(500))
		}
		require.LessOrEqual(t, table.Weight(), 100)
	}
	assert.Equal(t, added, gone+table.Len())
	sum, learnedOwners := Size{}, 0
	for _, o := range table.owners.all {
		size := Size{}
		for l := range levels {
			weight := 0
			for e := o.first[l]; e != nil; e = e.after {
				assert.Equal(t, l, e.level)
				assert.Same(t, o, e.owner)
				weight += e.size.Weight
				size.Weight += e.size.Weight
				size.Bytes += e.size.Bytes
			}
			assert.Equal(t, weight, o.weights[l])
		}
		assert.Equal(t, size, o.size)
		assert.Same(t, o, table.owners.young[o.place])
		sum.Weight += size.Weight
		sum.Bytes += size.Bytes
		if o.first[learned] != nil {
			learnedOwners++
		}
	}
	assert.Equal(t, table.size, sum)
	assert.Equal(t, learnedOwners, table.owners.learned)
}
