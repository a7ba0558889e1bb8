// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestSettledChangesNothing verifies that a settled copy counts spans that wait for children, and does not change the
// tracker.
func TestSettledChangesNothing(t *testing.T) {
	call := func(tr *Tracker, n byte) {
		at := int64(n) * 1e9
		tr.Observe(&Span{Trace: [16]byte{8: n}, ID: [8]byte{1}, Service: "a", Name: "x", Kind: KindClient, Start: at, End: at + 9e8})
		tr.Observe(&Span{Trace: [16]byte{8: n}, ID: [8]byte{2}, Parent: [8]byte{1}, Service: "b", Name: "y", Kind: KindServer, Start: at, End: at + 5e8})
	}
	asked, plain := New(DefaultConfig()), New(DefaultConfig())
	for n := range byte(9) {
		call(asked, n)
		call(plain, n)
	}
	settled := asked.Settled()
	assert.Zero(t, settled.Status().Waiting)
	assert.Len(t, settled.edges, 1, "the copy knows who calls whom")
	assert.Empty(t, asked.edges, "the tracker waits")
	assert.Equal(t, 18, asked.Status().Waiting)

	for n := byte(9); n < 200; n++ {
		call(asked, n)
		call(plain, n)
		asked.Advance(int64(n) * 1e9)
		plain.Advance(int64(n) * 1e9)
	}
	want, err := plain.AppendBinary(nil)
	require.NoError(t, err)
	got, err := asked.AppendBinary(nil)
	require.NoError(t, err)
	assert.Equal(t, want, got)
}
