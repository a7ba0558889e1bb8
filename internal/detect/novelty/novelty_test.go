// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package novelty

import (
	"bytes"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/state"
)

var (
	none     = [classes]int{}
	oneUsual = [classes]int{1, 0}
	oneGrave = [classes]int{0, 1}
)

// settled returns a model that has a vocabulary, followed by n windows without new items.
func settled(pool *Pool, n int) *Model {
	m := &Model{}
	for range warmUp {
		m.Learn(pool, [classes]int{3, 1})
	}
	for range n {
		m.Learn(pool, none)
	}
	return m
}

func TestNothingIsSaidBeforeThereIsAVocabulary(t *testing.T) {
	var m Model
	for range warmUp {
		assert.False(t, m.Warm())
		assert.Zero(t, m.Surprise(&Pool{}, oneGrave))
		m.Learn(&Pool{}, oneGrave)
	}
	assert.True(t, m.Warm())
	assert.Zero(t, m.Surprise(&Pool{}, none), "nothing new is nothing strange")
}

func TestAGraveThingIsStrangeAndAUsualOneIsNot(t *testing.T) {
	var pool Pool
	m := settled(&pool, 500)
	assert.Greater(t, m.Surprise(&pool, oneGrave), -math.Log(1e-5))
	assert.Less(t, m.Surprise(&pool, oneUsual), -math.Log(1e-4))
}

func TestManyAtOnceAreStrange(t *testing.T) {
	var pool Pool
	m := settled(&pool, 500)
	assert.Greater(t, m.Surprise(&pool, [classes]int{50, 0}), 30.0)
	assert.Greater(t, m.Surprise(&pool, [classes]int{5, 0}), m.Surprise(&pool, [classes]int{4, 0}))
}

// TestAVocabularyThatNeverSettlesIsLearned verifies that new items of a source that has them every few minutes are
// not surprising.
func TestAVocabularyThatNeverSettlesIsLearned(t *testing.T) {
	var pool Pool
	m := settled(&pool, 0)
	before := m.Surprise(&pool, oneGrave)
	for range 50 {
		for range 20 {
			m.Learn(&pool, none)
		}
		m.Learn(&pool, oneGrave)
	}
	assert.Less(t, m.Surprise(&pool, oneGrave), -math.Log(1e-2))
	assert.Greater(t, before, -math.Log(1e-5))

	other := settled(&pool, 100)
	assert.Less(t, other.Surprise(&pool, oneGrave), -math.Log(1e-3), "sources alike are not believed either")
	assert.Greater(t, settled(&Pool{}, 100).Surprise(&Pool{}, oneGrave), -math.Log(1e-5))
}

func TestWhatIsRareAgainIsStrangeAgain(t *testing.T) {
	var pool Pool
	m := settled(&pool, 0)
	for range 20 {
		m.Learn(&pool, oneGrave)
	}
	noisy := m.Surprise(&pool, oneGrave)
	for range 20 * memory {
		m.Learn(&pool, none)
	}
	assert.Greater(t, m.Surprise(&pool, oneGrave), noisy+3)
}

func TestStateRoundTrip(t *testing.T) {
	var pool Pool
	m := settled(&pool, 300)
	m.Learn(&pool, [classes]int{50, 2})
	w := state.Writer(nil)
	m.State(w)
	pool.State(w)
	whole := w.Bytes()
	var m2 Model
	var pool2 Pool
	r := state.Reader(whole)
	m2.State(r)
	pool2.State(r)
	require.NoError(t, r.End())
	assert.Equal(t, *m, m2)
	assert.Equal(t, pool, pool2)
	for _, bad := range [][]byte{nil, whole[:len(whole)-1], append(bytes.Clone(whole), 0), bytes.Repeat([]byte{0xff}, len(whole)), bytes.Repeat([]byte{0x40}, len(whole))} {
		r = state.Reader(bad)
		m2.State(r)
		pool2.State(r)
		assert.Error(t, r.End())
	}
}
