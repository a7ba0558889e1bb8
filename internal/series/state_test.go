// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package series

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/state"
)

// full returns a table that drops entries for all reasons, and the list of dropped entries.
func full() (*Table[uint64], *[]ID) {
	t := NewTable[uint64](20, time.Minute)
	dropped := &[]ID{}
	t.Dropped = func(id ID, _ *uint64) { *dropped = append(*dropped, id) }
	t.Learned = func(v *uint64) uint64 { return *v }
	t.Stale = func(*uint64) time.Duration { return 40 * time.Second }
	t.TTL = func(v *uint64) time.Duration { return time.Duration(*v) * time.Second }
	return t, dropped
}

// restored returns a table with the entries of another one, which were added in another order, and with its state.
func restored(t *testing.T, from *Table[uint64], now time.Time) (*Table[uint64], *[]ID) {
	t.Helper()
	w := state.Writer(nil)
	from.State(w)
	to, dropped := full()
	ids := from.IDs()
	slices.Sort(ids)
	for _, id := range ids {
		e := from.entries[id]
		require.NotNil(t, to.Add(id, e.owner.id, Size{Weight: e.size.Weight}, now, e.Value))
	}
	r := state.Reader(w.Bytes())
	to.State(r)
	require.NoError(t, r.End())
	again := state.Writer(nil)
	to.State(again)
	require.True(t, bytes.Equal(w.Bytes(), again.Bytes()))
	return to, dropped
}

func TestRestoredTableDropsTheSameEntries(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 3))
	whole, want := full()
	parts, got := full()
	now := noon
	for step := range 3000 {
		now = now.Add(time.Duration(random.IntN(3)) * time.Second)
		id := ID(random.IntN(200))
		owner := id % 7 % 4
		for _, table := range []*Table[uint64]{whole, parts} {
			if v := table.Get(id, now); v != nil {
				*v += 1 + uint64(id%40)
			} else {
				table.Add(id, owner, Size{Weight: 1 + int(id%3), Bytes: int(id)}, now, 1)
			}
			table.Age(now)
		}
		require.Equal(t, order(whole), order(parts), "step %d", step)
		require.Equal(t, *want, *got, "step %d", step)
		if step%5 == 0 {
			*want = []ID{}
			parts, got = restored(t, parts, now)
		}
	}
}

func TestStateOfOtherEntriesIsRejected(t *testing.T) {
	table, _ := full()
	for id := range ID(9) {
		table.Add(id, id%2, Size{Weight: 1}, noon, uint64(id))
	}
	w := state.Writer(nil)
	table.State(w)
	whole := w.Bytes()
	for n := range whole {
		r := state.Reader(whole[:n])
		table.State(r)
		require.Error(t, r.End(), "cut after %d bytes", n)
	}
	for name, change := range map[string]func(*Table[uint64]){
		"one more":       func(t *Table[uint64]) { t.Add(99, 0, Size{Weight: 1}, noon, 1) },
		"another one":    func(t *Table[uint64]) { t.drop(t.entries[3]); t.Add(99, 0, Size{Weight: 1}, noon, 1) },
		"another owner":  func(t *Table[uint64]) { t.drop(t.entries[3]); t.Add(3, 0, Size{Weight: 1}, noon, 1) },
		"one more owner": func(t *Table[uint64]) { t.drop(t.entries[3]); t.Add(3, 5, Size{Weight: 1}, noon, 1) },
	} {
		other, _ := full()
		for id := range ID(9) {
			other.Add(id, id%2, Size{Weight: 1}, noon, uint64(id))
		}
		change(other)
		r := state.Reader(whole)
		require.NotPanics(t, func() { other.State(r) }, name)
		assert.Error(t, r.End(), name)
	}
}
