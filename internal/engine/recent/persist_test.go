// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package recent

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/auspex-otel/auspex/internal/series"
	"github.com/auspex-otel/auspex/internal/state"
)

func TestBatchesComeBackInTheirOrder(t *testing.T) {
	b := New[int]()
	for i := range Most + 10 {
		b.Put(series.ID(7*i%5003), []int{i, i + 1}[:i%3%2+1])
	}
	b.Put(1<<40, nil)
	w := state.Writer(nil)
	b.Persist(w, w.Index)
	r, read := state.Reader(w.Bytes()), New[int]()
	read.Persist(r, r.Index)
	require.NoError(t, r.End())
	assert.Equal(t, b.order, read.order)
	assert.Equal(t, b.verdicts, read.verdicts)
	assert.Equal(t, b.total, read.total)

	r = state.Reader(w.Bytes())
	read.Persist(r, r.Index)
	assert.Error(t, r.End(), "batches that are known already")
}
