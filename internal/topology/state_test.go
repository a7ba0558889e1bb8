// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package topology

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func small() *Graph {
	g := New(Config{Nodes: 8, Edges: 8, Forget: 1e9})
	g.Call(ID{Service, "a"}, ID{Service, "b"}, 3, 5, 7)
	g.Relate(ID{Pod, "p"}, ID{Service, "a"}, 9)
	return g
}

// FuzzState verifies that a damaged state is rejected or gives a graph within its bounds.
func FuzzState(f *testing.F) {
	b, err := small().AppendBinary(nil)
	require.NoError(f, err)
	f.Add(b)
	f.Add(b[:len(b)/2])
	f.Fuzz(func(t *testing.T, b []byte) {
		g := New(Config{Nodes: 8, Edges: 8, Forget: 1e9})
		if g.UnmarshalBinary(b) != nil {
			nodes, edges, _ := g.Size()
			assert.Zero(t, nodes+edges, "nothing is left of a damaged state")
			return
		}
		again, err := g.AppendBinary(nil)
		require.NoError(t, err)
		assert.Equal(t, b, again)
		g.Call(ID{Service, "x"}, ID{Service, "y"}, 1, 1, 1)
		g.Forget(2e9)
	})
}

func TestDamagedState(t *testing.T) {
	b, err := small().AppendBinary(nil)
	require.NoError(t, err)
	for n := range b {
		require.Error(t, small().UnmarshalBinary(b[:n]), "cut after %d bytes", n)
	}
	require.Error(t, small().UnmarshalBinary(append(b, 0)))
	b[0]++
	require.Error(t, small().UnmarshalBinary(b), "another version")
}

func TestConfig(t *testing.T) {
	require.NoError(t, DefaultConfig().Validate())
	assert.Error(t, Config{Nodes: 1, Edges: 1, Forget: 1}.Validate())
	assert.Error(t, Config{Nodes: 2, Edges: 0, Forget: 1}.Validate())
	assert.Error(t, Config{Nodes: 2, Edges: 1}.Validate())
}
