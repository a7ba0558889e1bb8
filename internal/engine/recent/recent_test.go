// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package recent

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/auspex-otel/auspex/internal/series"
)

func TestTableOfMostIsBounded(t *testing.T) {
	b := New[int]()
	for i := range 3 * Most {
		b.Put(1+series.ID(i), make([]int, 10))
	}
	assert.Len(t, b.verdicts, Most)
	for i := range 100 {
		b.Put(1e6+series.ID(i), make([]int, mostVerdicts/10))
	}
	assert.Len(t, b.verdicts, 10)
	assert.Len(t, b.order, 10)
	_, ok := b.Get(1e6 + 99)
	assert.True(t, ok)
	b.Put(1, make([]int, 2*mostVerdicts))
	assert.Len(t, b.verdicts, 1, "one batch is kept however large it is")
}
