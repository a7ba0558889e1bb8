// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package budget

import (
	"math"
	"testing"
	"time"

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

// TestAlphaIsPublishedInSteps verifies that the small changes by real clocks are not published, and that the published
// value depends on α only.
func TestAlphaIsPublishedInSteps(t *testing.T) {
	b := New(fiveADay, nil)
	a := b.Open("shop")
	seen := map[float64]bool{}
	for i := range int64(2000) {
		counted(b, &a, 1e6+i%1000, 10)
		b.Spend(start.Add(time.Duration(i) * time.Hour))
		alpha := b.Alpha(&a, Metrics, math.MaxInt64)
		assert.LessOrEqual(t, alpha, a.alpha[Metrics])
		assert.Greater(t, alpha*step, a.alpha[Metrics]*(1-1e-12))
		assert.Equal(t, b.round(a.alpha[Metrics], 1), alpha)
		seen[alpha] = true
	}
	assert.LessOrEqual(t, len(seen), 2)
	assert.Equal(t, fiveADay.MaxAlpha, b.round(fiveADay.MaxAlpha, 1))
}

func TestFallOfAlphaAppliesAtOnce(t *testing.T) {
	b := New(fiveADay, nil)
	a := b.Open("shop")
	alpha := func(decisions, at int64) float64 {
		counted(b, &a, decisions, 10)
		b.Spend(start)
		return b.Alpha(&a, Metrics, at)
	}
	before := alpha(1e6, 1)
	b.Pass(&a, Metrics, &Member{pool: &b.all}, 1, 1)
	assert.Less(t, alpha(1_050_000, 2), before)
	assert.Equal(t, before, alpha(1_050_000, 1), "a point of a time that was judged")
	assert.Less(t, alpha(3e6, 1), before/2, "many series were added")
}
