// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package room

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

func TestMemoryIsDivided(t *testing.T) {
	m := Memory(128 << 20)
	assert.LessOrEqual(t, m.Streams()+2*m.Entries()*entrySize, int(m))
	assert.Greater(t, m.Streams()/Modeled, 8000)
	assert.Equal(t, math.MaxInt, Memory(0).Entries())
}

func TestSizeOfAttributes(t *testing.T) {
	m := pcommon.NewMap()
	assert.Zero(t, Attributes(m))
	m.PutStr("key", strings.Repeat("x", 100))
	one := Attributes(m)
	assert.Greater(t, one, 103)
	m.PutEmptySlice("list").AppendEmpty().SetStr("y")
	assert.Greater(t, Attributes(m), one+256)
}
