// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package budget

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/state"
)

func TestVersionOfAPointDependsOnItsTime(t *testing.T) {
	v := first(100, "a")
	v.pass(150)
	v.pass(120) // a late point
	assert.EqualValues(t, 150, v.set("b"))
	assert.EqualValues(t, 150, v.set("c"), "no point was judged by b")
	v.pass(200)
	v.set("d")
	for at, want := range map[int64]string{0: "a", 100: "a", 101: "a", 150: "a", 151: "c", 200: "c", 201: "d", 1e18: "d"} {
		assert.Equal(t, want, v.at(at), "%d", at)
	}
	copied := v
	v.pass(300)
	v.replace("e")
	for _, at := range []int64{0, 150, 300, 301} {
		assert.Equal(t, "e", v.at(at), "applies at once")
	}
	assert.Equal(t, "d", copied.latest(), "a copy does not change")
}

func TestVersionsAreBounded(t *testing.T) {
	v := first(0, 0)
	for i := range 100 {
		v.pass(int64(i+1) * lateness / 4)
		v.set(i + 1)
	}
	assert.Len(t, v.list, 6, "those of ten minutes, and the one before")
	for i := range 100 {
		v.pass(v.judged + 1)
		v.set(i)
	}
	assert.Len(t, v.list, mostVersions)
	assert.Equal(t, 99, v.latest())
}

func TestVersionsInACompleteState(t *testing.T) {
	v := first(1, int64(10))
	v.pass(5)
	v.set(20)
	v.pass(7)
	w := state.Writer(nil)
	v.persist(w, w.Int64)
	var read versions[int64]
	r := state.Reader(w.Bytes())
	read.persist(r, r.Int64)
	require.NoError(t, r.End())
	assert.Equal(t, v, read)

	v.list[0].from = 9 // not in order
	w = state.Writer(nil)
	v.persist(w, w.Int64)
	r = state.Reader(w.Bytes())
	read.persist(r, r.Int64)
	assert.ErrorIs(t, r.End(), state.Error)
}

// TestSmallChangesOfAlphaAreNotPublished verifies that the threshold follows α in steps, at least as α rises.
func TestSmallChangesOfAlphaAreNotPublished(t *testing.T) {
	b := New(fiveADay, nil)
	a := b.Open("shop")
	counted(b, &a, 1e6, 10)
	b.Spend(start)
	before := b.Alpha(&a, Metrics, 1)
	for i := range int64(9) {
		counted(b, &a, 1e6+1000*(i+1), 10)
		b.Spend(start)
		assert.Equal(t, before, b.Alpha(&a, Metrics, 1))
		assert.Less(t, b.Present(a, Metrics), before)
	}
	counted(b, &a, 1e6+11_000, 10)
	b.Spend(start)
	b.Pass(&a, Metrics, &Member{pool: &b.all}, 1, 1)
	assert.Less(t, b.Alpha(&a, Metrics, 2), before)
	assert.Equal(t, before, b.Alpha(&a, Metrics, 1), "points of times that were judged")
	counted(b, &a, 3e6, 10)
	b.Spend(start)
	assert.Less(t, b.Alpha(&a, Metrics, 1), before/2, "many series were added")
}
