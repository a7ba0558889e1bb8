// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package topology

import "github.com/auspex-otel/auspex/internal/state"

const (
	stateVersion = 1
	maxName      = 1 << 13 // bytes; nodes with longer names are ignored
)

// AppendBinary appends the graph.
func (g *Graph) AppendBinary(b []byte) ([]byte, error) {
	c := state.Writer(b)
	version := uint8(stateVersion)
	c.Uint8(&version)
	c.Uint64(&g.forgotten)
	n := uint32(len(g.order))
	c.Uint32(&n)
	place := make(map[ID]uint32, len(g.order))
	for i, node := range g.order {
		place[node.ID] = uint32(i)
		node.state(c)
	}
	n = uint32(len(g.list))
	c.Uint32(&n)
	for _, e := range g.list {
		from, to := place[e.From], place[e.To]
		c.Uint32(&from)
		c.Uint32(&to)
		e.state(c)
	}
	return c.Bytes(), nil
}

// UnmarshalBinary restores the graph that AppendBinary wrote. After an error the graph is empty.
func (g *Graph) UnmarshalBinary(b []byte) error {
	*g = *New(g.cfg)
	c := state.Reader(b)
	var version uint8
	c.Uint8(&version)
	c.Check(version == stateVersion)
	c.Uint64(&g.forgotten)
	g.readNodes(c)
	g.readEdges(c)
	if err := c.End(); err != nil {
		*g = *New(g.cfg)
		return err
	}
	return nil
}

func (g *Graph) readNodes(c *state.Codec) {
	var n uint32
	for c.Uint32(&n); n > 0 && c.Ok(); n-- {
		v := &node{}
		v.state(c)
		if v.Name == "" || g.nodes[v.ID] != nil || len(g.nodes) == g.cfg.Nodes {
			c.Check(false)
			return
		}
		g.nodes[v.ID] = v
		g.order = append(g.order, v)
	}
}

func (g *Graph) readEdges(c *state.Codec) {
	var n, from, to uint32
	for c.Uint32(&n); n > 0 && c.Ok(); n-- {
		c.Uint32(&from)
		c.Uint32(&to)
		if known := uint32(len(g.order)); from >= known || to >= known || from == to || len(g.edges) == g.cfg.Edges {
			c.Check(false)
			return
		}
		e := &Edge{From: g.order[from].ID, To: g.order[to].ID}
		e.state(c)
		key := [2]ID{e.From, e.To}
		c.Check(g.edges[key] == nil)
		g.edges[key] = e
		g.list = append(g.list, e)
	}
}

func (n *node) state(c *state.Codec) {
	c.Uint8((*uint8)(&n.Kind))
	c.Check(n.Kind >= Service && n.Kind < kindEnd)
	c.Text(&n.Name, maxName)
	c.Int64(&n.first)
	c.Int64(&n.last)
}

func (e *Edge) state(c *state.Codec) {
	c.Uint64(&e.Calls)
	c.Int64((*int64)(&e.Network))
	c.Int64(&e.First)
	c.Int64(&e.Last)
}
