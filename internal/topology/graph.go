// Copyright The Auspex Authors
// SPDX-License-Identifier: Apache-2.0

package topology

import (
	"cmp"
	"errors"
	"slices"
	"time"
)

// Kind is the kind of a node.
type Kind uint8

// Kinds of nodes.
const (
	Service Kind = iota + 1
	Database
	Queue
	External
	Pod
	Node
	Host
	Deployment
	kindEnd
)

// ID names a node.
type ID struct {
	Kind Kind
	Name string
}

// Config bounds a graph.
type Config struct {
	Nodes, Edges int
	// Forget is the event time after which nodes and edges that are no longer seen are removed.
	Forget time.Duration
}

// DefaultConfig returns bounds that are suitable for a gateway.
func DefaultConfig() Config { return Config{Nodes: 8192, Edges: 32768, Forget: 24 * time.Hour} }

// Validate returns an error for values out of range.
func (c Config) Validate() error {
	switch {
	case c.Nodes < 2:
		return errors.New("nodes must be at least 2")
	case c.Edges < 1:
		return errors.New("edges must be at least 1")
	case c.Forget <= 0:
		return errors.New("forget must be positive")
	}
	return nil
}

// Edge is a relation between two nodes: a call, or that one runs on or belongs to the other.
type Edge struct {
	From, To    ID
	Calls       uint64        // 0 if it is not a call
	Network     time.Duration // sum of the times between client and server
	First, Last int64         // event time
}

// Graph holds which services call which nodes, and what runs where. It is not safe for concurrent use. Use New.
type Graph struct {
	cfg       Config
	nodes     map[ID]*node
	order     []*node // in the order of learning
	edges     map[[2]ID]*Edge
	list      []*Edge // in the order of learning
	forgotten uint64
}

type node struct {
	ID
	first, last int64
}

// New returns an empty graph.
func New(cfg Config) *Graph {
	return &Graph{cfg: cfg, nodes: map[ID]*node{}, edges: map[[2]ID]*Edge{}}
}

// See records that a node was seen at a time.
func (g *Graph) See(id ID, at int64) {
	if id.Name == "" || len(id.Name) > maxName {
		return
	}
	if n := g.nodes[id]; n != nil {
		n.last = max(n.last, at)
		return
	}
	if len(g.nodes) >= g.cfg.Nodes {
		g.shrinkNodes()
	}
	n := &node{ID: id, first: at, last: at}
	g.nodes[id] = n
	g.order = append(g.order, n)
}

// Call records calls from one node to another.
func (g *Graph) Call(from, to ID, calls uint64, network time.Duration, at int64) {
	if e := g.relate(from, to, at); e != nil {
		e.Calls += calls
		e.Network += network
	}
}

// Relate records that a node runs on another or belongs to it.
func (g *Graph) Relate(from, to ID, at int64) { g.relate(from, to, at) }

func (g *Graph) relate(from, to ID, at int64) *Edge {
	if from.Name == "" || to.Name == "" || from == to || len(from.Name) > maxName || len(to.Name) > maxName {
		return nil
	}
	g.See(from, at)
	g.See(to, at)
	key := [2]ID{from, to}
	e := g.edges[key]
	if e == nil {
		if len(g.edges) >= g.cfg.Edges {
			g.shrinkEdges()
		}
		e = &Edge{From: from, To: to, First: at, Last: at}
		g.edges[key] = e
		g.list = append(g.list, e)
	}
	e.Last = max(e.Last, at)
	return e
}

// Forget removes nodes and edges that were last seen too long before a time.
func (g *Graph) Forget(now int64) {
	limit := now - int64(g.cfg.Forget)
	g.dropEdges(func(e *Edge) bool { return e.Last < limit })
	g.dropNodes(func(n *node) bool { return n.last < limit })
}

// shrinkNodes removes the sixteenth of the nodes that was seen longest ago.
func (g *Graph) shrinkNodes() {
	seen := make([]int64, 0, len(g.order))
	for _, n := range g.order {
		seen = append(seen, n.last)
	}
	slices.Sort(seen)
	limit := seen[len(seen)/16]
	g.dropNodes(func(n *node) bool { return n.last <= limit })
}

func (g *Graph) shrinkEdges() {
	seen := make([]int64, 0, len(g.list))
	for _, e := range g.list {
		seen = append(seen, e.Last)
	}
	slices.Sort(seen)
	limit := seen[len(seen)/16]
	g.dropEdges(func(e *Edge) bool { return e.Last <= limit })
}

func (g *Graph) dropNodes(gone func(*node) bool) {
	g.order = slices.DeleteFunc(g.order, func(n *node) bool {
		if !gone(n) {
			return false
		}
		delete(g.nodes, n.ID)
		g.forgotten++
		return true
	})
	g.dropEdges(func(e *Edge) bool { return g.nodes[e.From] == nil || g.nodes[e.To] == nil })
}

func (g *Graph) dropEdges(gone func(*Edge) bool) {
	g.list = slices.DeleteFunc(g.list, func(e *Edge) bool {
		if !gone(e) {
			return false
		}
		delete(g.edges, [2]ID{e.From, e.To})
		g.forgotten++
		return true
	})
}

// Size returns the numbers of nodes and edges, and the number of removed ones.
func (g *Graph) Size() (nodes, edges int, forgotten uint64) {
	return len(g.nodes), len(g.edges), g.forgotten
}

// Edges returns all edges, in the order of learning.
func (g *Graph) Edges() []Edge {
	list := make([]Edge, 0, len(g.list))
	for _, e := range g.list {
		list = append(list, *e)
	}
	return list
}

// Related returns the nodes of a kind with a relation to a node, in either direction, by name.
func (g *Graph) Related(id ID, kind Kind) (list []ID) {
	for _, e := range g.list {
		switch {
		case e.From == id && e.To.Kind == kind:
			list = append(list, e.To)
		case e.To == id && e.From.Kind == kind:
			list = append(list, e.From)
		}
	}
	slices.SortFunc(list, func(a, b ID) int { return cmp.Compare(a.Name, b.Name) })
	return slices.Compact(list)
}

// Has reports whether a node is known.
func (g *Graph) Has(id ID) bool { return g.nodes[id] != nil }

// calls returns the callees of each service (services, databases, queues, and endpoints), and the callers of each callee.
func (g *Graph) calls() (callees, callers map[string][]string) {
	callees, callers = map[string][]string{}, map[string][]string{}
	for _, e := range g.list {
		if e.Calls > 0 {
			callees[e.From.Name] = append(callees[e.From.Name], e.To.Name)
			callers[e.To.Name] = append(callers[e.To.Name], e.From.Name)
		}
	}
	return callees, callers
}

// reach returns all nodes that are reached from some services, including these.
func reach(next map[string][]string, from []string) map[string]bool {
	seen := map[string]bool{}
	todo := slices.Clone(from)
	for len(todo) > 0 {
		s := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if !seen[s] {
			seen[s] = true
			todo = append(todo, next[s]...)
		}
	}
	return seen
}
